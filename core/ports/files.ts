// What the agent needs from the operating system about files and accounts, to judge whether a script may run.
// Interfaces only; core/system/files.ts implements them.

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits, 0 .. 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file that cannot be looked at: the errno name, such as ENOENT or EACCES. */
export interface FileError {
  readonly error: string;
}

export interface Account {
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
}

export interface Files {
  /** Facts about the name itself: a symbolic link is not followed. */
  look(path: string): Promise<FileFacts | FileError>;
  /** Where a symbolic link points, as written in it. */
  readLink(path: string): Promise<string | FileError>;
  /** The effective user and group of this process. */
  self(): Account;
  /** By name, or by number in decimal; undefined: there is none. */
  user(name: string): Promise<Account | undefined>;
  /** The group's number by name, or by number in decimal; undefined: there is none. */
  group(name: string): Promise<number | undefined>;
}

// What the agent needs of small files that others write: the beginning of one, now and after every change, and a first
// value in one. Interfaces only; core/system/file-watch.ts implements them with inotify(7).

export type FileContent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'missing' }
  /** It exists but says nothing; `why` is an errno name or a person's words. */
  | { readonly type: 'unreadable'; readonly why: string };

export interface WatchedFiles {
  /**
   * Calls back with what the path leads to: first with what is there now, never from within this call, and then whenever
   * that has changed, however it came about: written, renamed, removed, made again, a link turned elsewhere.
   * @param limit how many bytes are read
   * @returns the way to end it
   */
  watch(path: string, limit: number, onContent: (content: FileContent) => void): () => void;
  /** Writes a small file, or only where there is none. Resolves with why it could not, or undefined. Never rejects. */
  write(path: string, text: string, overwrite: boolean): Promise<string | undefined>;
}

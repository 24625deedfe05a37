// Watches small files through inotify(7) on their directories, which sees what watching a file itself would miss: a
// rename over it, a removal, its coming back. Knows nothing of what the files mean. Nothing is polled.
import { type FSWatcher, watch } from 'node:fs';
import { lstat, open, readlink, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { FileContent, WatchedFiles } from '../ports/watched-files.ts';

/** As the kernel: path_resolution(7). */
const MAX_LINKS = 40;
/** A file that is written all the time is read at most this often; the last change is never left out. */
const PACE_MS = 10;
/** O_RDONLY | O_NONBLOCK: a named pipe must not hold up the reader. */
const READ_FLAGS = 0o4000;

/** Directories, and the names in them on which the meaning of a path depends. */
type Places = ReadonlyMap<string, ReadonlySet<string>>;

interface Directory {
  readonly watcher: FSWatcher;
  readonly files: Set<WatchedFile>;
}

export class FileWatcher implements WatchedFiles {
  readonly #directories = new Map<string, Directory>();

  watch(path: string, limit: number, onContent: (content: FileContent) => void): () => void {
    const file = new WatchedFile(path, limit, onContent, (self, places) => this.#subscribe(self, places));
    return () => {
      file.close();
      this.#subscribe(file, new Map());
    };
  }

  async write(path: string, text: string, overwrite: boolean): Promise<string | undefined> {
    try {
      await writeFile(path, text, { flag: overwrite ? 'w' : 'wx' });
      return undefined;
    } catch (error) {
      const why = errnoName(error);
      return !overwrite && why === 'EEXIST' ? undefined : why;
    }
  }

  /** How many directories are watched: the inotify watches in use. */
  get size(): number {
    return this.#directories.size;
  }

  /** Watches exactly these directories for the file. True when one is new: what happened before may have been missed. */
  #subscribe(file: WatchedFile, places: Places): boolean | { readonly why: string } {
    for (const [path, directory] of this.#directories)
      if (!places.has(path) && directory.files.delete(file) && directory.files.size === 0) this.#drop(path);
    let isNew = false;
    for (const path of places.keys()) {
      let directory = this.#directories.get(path);
      if (directory === undefined) {
        try {
          directory = { watcher: this.#open(path), files: new Set() };
        } catch (error) {
          const why = errnoName(error);
          // Gone since it was looked at: look again.
          if (why === 'ENOENT' || why === 'ENOTDIR') return true;
          return { why: `${path} cannot be watched: ${why}` };
        }
        this.#directories.set(path, directory);
        isNew = true;
      }
      directory.files.add(file);
    }
    return isNew;
  }

  #open(path: string): FSWatcher {
    const watcher = watch(path, { persistent: false }, (_, name) => {
      const directory = this.#directories.get(path);
      if (directory?.watcher !== watcher) return;
      // Its own name: the directory itself was removed or moved, and this watch with it.
      const itself = name === null || name === basename(path);
      if (itself) this.#drop(path);
      for (const file of [...directory.files]) if (itself || file.dependsOn(path, name)) file.look();
    });
    watcher.on('error', () => {
      const directory = this.#directories.get(path);
      if (directory?.watcher !== watcher) return;
      this.#drop(path);
      for (const file of directory.files) file.look();
    });
    return watcher;
  }

  #drop(path: string): void {
    this.#directories.get(path)?.watcher.close();
    this.#directories.delete(path);
  }
}

class WatchedFile {
  readonly #path: string;
  readonly #limit: number;
  readonly #onContent: (content: FileContent) => void;
  readonly #subscribe: (file: WatchedFile, places: Places) => boolean | { readonly why: string };
  #places: Places = new Map();
  #looking = false;
  #again = false;
  #closed = false;
  #last = '';

  constructor(
    path: string,
    limit: number,
    onContent: (content: FileContent) => void,
    subscribe: (file: WatchedFile, places: Places) => boolean | { readonly why: string },
  ) {
    this.#path = path;
    this.#limit = limit;
    this.#onContent = onContent;
    this.#subscribe = subscribe;
    this.look();
  }

  dependsOn(directory: string, name: string): boolean {
    return this.#places.get(directory)?.has(name) ?? false;
  }

  close(): void {
    this.#closed = true;
  }

  /** Looks now, or once more when a look is under way: one at a time, however many changes there are. */
  look(): void {
    this.#again = true;
    if (!this.#looking) void this.#lookUntilQuiet();
  }

  async #lookUntilQuiet(): Promise<void> {
    this.#looking = true;
    while (this.#again && !this.#closed) {
      this.#again = false;
      const content = await this.#read();
      if (this.#closed) break;
      const seen = JSON.stringify(content);
      if (content !== undefined && seen !== this.#last) {
        this.#last = seen;
        this.#onContent(content);
      }
      if (content !== undefined) await new Promise((resolve) => setTimeout(resolve, PACE_MS).unref());
    }
    this.#looking = false;
  }

  /** undefined: what must be watched has changed, so that it must be read anew. */
  async #read(): Promise<FileContent | undefined> {
    const { places, dead } = await placesOf(this.#path);
    if (this.#closed) return undefined;
    this.#places = places;
    const outcome = this.#subscribe(this, places);
    if (outcome === true) {
      this.#again = true;
      return undefined;
    }
    if (outcome !== false) return { type: 'unreadable', why: outcome.why };
    return dead === undefined ? await readBeginning(this.#path, this.#limit) : { type: 'unreadable', why: dead };
  }
}

/** Every place that decides where a path leads: each symbolic link on the way, and the last name, or the first missing. */
async function placesOf(path: string): Promise<{ readonly places: Places; readonly dead?: string }> {
  const places = new Map<string, Set<string>>();
  const note = (directory: string, name: string): void => {
    places.set(directory, (places.get(directory) ?? new Set()).add(name));
  };
  const rest = path.split('/');
  let at = '/';
  for (let links = 0; rest.length > 0; ) {
    const name = rest.shift()!;
    if (name === '' || name === '.') continue;
    const full = name === '..' ? dirname(at) : join(at, name);
    const facts = await lstat(full).catch(errnoName);
    if (typeof facts === 'string') {
      note(at, name);
      return facts === 'ENOENT' || facts === 'ENOTDIR' ? { places } : { places, dead: facts };
    }
    if (facts.isSymbolicLink()) {
      note(at, name);
      const target = await readlink(full).catch(() => undefined);
      if (++links > MAX_LINKS) return { places, dead: 'ELOOP' };
      if (target === undefined) return { places };
      rest.unshift(...target.split('/'));
      if (isAbsolute(target)) at = '/';
      continue;
    }
    if (rest.every((part) => part === '' || part === '.')) note(at, name);
    at = full;
  }
  return { places };
}

async function readBeginning(path: string, limit: number): Promise<FileContent> {
  try {
    await using file = await open(path, READ_FLAGS);
    if (!(await file.stat()).isFile()) return { type: 'unreadable', why: 'not a regular file' };
    const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(limit), position: 0 });
    return { type: 'text', text: new TextDecoder().decode(buffer.subarray(0, bytesRead)) };
  } catch (error) {
    const why = errnoName(error);
    return why === 'ENOENT' || why === 'ENOTDIR' ? { type: 'missing' } : { type: 'unreadable', why };
  }
}

function errnoName(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

// Watched files that say what a test says, when it says so.
import type { FileContent, WatchedFiles } from '../../core/ports/watched-files.ts';

export class FakeFiles implements WatchedFiles {
  readonly written: { readonly path: string; readonly text: string; readonly overwrite: boolean }[] = [];
  readonly watched = new Map<string, (content: FileContent) => void>();
  /** Why nothing can be written. */
  refusal: string | undefined;

  watch(path: string, _limit: number, onContent: (content: FileContent) => void): () => void {
    this.watched.set(path, onContent);
    return () => {
      if (this.watched.get(path) === onContent) this.watched.delete(path);
    };
  }

  write(path: string, text: string, overwrite: boolean): Promise<string | undefined> {
    this.written.push({ path, text, overwrite });
    return Promise.resolve(this.refusal);
  }

  /** The file says this now; undefined: it is gone. */
  say(path: string, text: string | undefined): void {
    this.watched.get(path)?.(text === undefined ? { type: 'missing' } : { type: 'text', text });
  }
}

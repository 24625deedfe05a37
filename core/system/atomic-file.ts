// Writes a file so that a reader sees the old text or the new one, never a part, and so that nobody who can plant a
// link or a file in the directory (/tmp!) can make us write elsewhere or read along.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** In place of whatever has the name now, a link or somebody's file too. @param mode 0600 unless others may read it. @throws Error */
export async function writeAtomically(path: string, text: string, mode = 0o600): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(fresh, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, mode);
  try {
    try {
      await file.chmod(mode); // whatever the umask
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await unlink(fresh).catch(() => {});
    throw error;
  }
}

// The whole language without plugins, and questions about it.
import { BARE } from '../language.ts';

export { root } from './root.ts';

export const { grammar, blocksWith } = BARE;

/** Every keyword that is known anywhere. */
export const allKeywords = (): readonly string[] => BARE.keywords;

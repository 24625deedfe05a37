// What comes with the agent: its plugins, and the language of the file with them.
import { builtInPlugins } from '../../plugins/index.ts';
import { type Language, languageWith } from '../config/language.ts';

export const builtInLanguage: Language = languageWith({ builtIn: builtInPlugins, loaded: [] });

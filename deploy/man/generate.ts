// Writes the man page of the configuration file from the rows of the language: node deploy/man/generate.ts
// A test says when the committed page is out of date.
import { writeFileSync } from 'node:fs';
import { builtInLanguage } from '../../core/app/built-in.ts';
import { manPage } from '../../core/config/man.ts';

writeFileSync(new URL('vipkeeper.conf.5', import.meta.url), manPage(builtInLanguage));

// What a dump needs beside a status report's sources.
import type { GlobalDefs } from '../../core/config/model.ts';

export const SAMPLE_GLOBALS: GlobalDefs = {
  routerId: 'lb01',
  scriptUser: undefined,
  enableScriptSecurity: true,
  realtimePriority: undefined,
  addressLifetime: true,
};

// notifier: somebody who is told of events by a plugin. The blocks of the plugins are rows like any others, made from
// what each plugin says of its options.
import { EVENT_TYPES, type EventType, type NotifierDescription, USUAL_EVENTS } from '../../plugin/notifier.ts';
import { type Field, integer, seconds, words } from '../fields.ts';
import { rowsOf } from '../plugin-rows.ts';
import { type Block, type Keyword, named, nested, type Rows } from './row.ts';

const isEvent = (text: string): text is EventType => EVENT_TYPES.some((type) => type === text);

/** Types of events, at least one. */
const events: Field<readonly EventType[]> = {
  kind: 'record',
  synopsis: 'TYPE …',
  read(args) {
    if (args.need('a type of event') === undefined) return undefined;
    args.takeAll();
    const given = args.statement.words.slice(1);
    const wrong = given.find(({ text }) => !isEvent(text));
    if (wrong !== undefined)
      return args.refuse('W012', wrong, `there is no event ${wrong.text}; known are ${EVENT_TYPES.join(', ')}`, {
        limit: EVENT_TYPES.join('|'),
      });
    return given.map(({ text }) => text).filter(isEvent);
  },
};

export const notifierRows = {
  events: {
    value: events,
    default: USUAL_EVENTS.join(' '),
    example: 'transition fenced conflict',
    extension: true,
    help: `types of events to tell; besides the default there are priority and rival`,
  },
  instances: {
    value: words('NAME …'),
    example: 'VI_1 VI_2',
    extension: true,
    help: 'only events of these instances and of groups with them, and what is about no instance; default: all',
  },
  timeout: {
    value: seconds(0.1, 300),
    default: '5',
    extension: true,
    help: 'seconds until an attempt counts as failed',
  },
  retries: {
    value: integer(0, 100),
    default: '5',
    extension: true,
    help: 'further attempts after pauses of 1, 2, 4 … 60 seconds, until an event is given up',
  },
} as const satisfies Rows;

/** The block of a notifier where these plugins are there. */
export function notifierBlock(plugins: readonly NotifierDescription[]): Block {
  const blocks = plugins.map(({ name, help, options }): [string, Keyword] => [
    name,
    { value: nested({ name: `notify_${name}`, help, rows: rowsOf(options) }), help, extension: true },
  ]);
  return {
    name: 'notifier',
    help: 'tells somebody of events by a plugin: queued, in order, and again when it failed',
    rows: { ...Object.fromEntries(blocks), ...notifierRows },
  };
}

export const notifierField = (plugins: readonly NotifierDescription[]) => named(notifierBlock(plugins));

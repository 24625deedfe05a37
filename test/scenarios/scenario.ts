// The language of the scenario files: one command a line, "----", then what came of it with its virtual time.
//
//   router NAME ADDRESS [priority N] [vrid N] [interval T] [nopreempt] [preempt_delay T] [break_before_make] [v2] [grouped]
//     [owner_ignore_adverts] [keepalived (its ways: waits for its down timer, says nothing when it yields)]
//   group NAME MEMBER…        delay T              lose NAME N (its next adverts)     show adverts
//   start NAME…               stop NAME [now]      kill NAME      revive NAME         run T
//   partition NAME… | NAME…   heal                 fault NAME WORDS…                  recover NAME
//   priority NAME N           withdraw NAME stalled|fenced      resign NAME N ADDRESS (a lower priority than that router's)
//   deaf NAME T (silence proves nothing for so long)            alive NAME (its interface heard something)
import { ip } from '../../core/net/address.ts';
import { after, type Micros, micros, millis, priority, seconds, vrid } from '../../core/units.ts';
import type { RouterConfig } from '../../core/vrrp/types.ts';
import { CONFIG, word } from '../vrrp/bench.ts';
import { type Happening, Segment } from './segment.ts';

const SEPARATOR = '----';

/** The text of a scenario with the effects that its commands have now. */
export function rerun(text: string): string {
  const [commands = ''] = text.split(`\n${SEPARATOR}\n`);
  return `${commands}\n${SEPARATOR}\n${play(commands.split('\n')).join('\n')}\n`;
}

function play(lines: readonly string[]): string[] {
  const trace: string[] = [];
  const losses = new Map<string, number>();
  let delay = millis(1);
  let showAdverts = false;
  const segment = new Segment({
    delay: () => delay,
    isLost: (sender) => {
      const left = losses.get(sender) ?? 0;
      losses.set(sender, left - 1);
      return left > 0;
    },
    onEffect: (happening) => {
      const line = told(happening, showAdverts);
      if (line !== undefined) trace.push(line);
    },
  });
  const note = (what: string) => trace.push(`${clock(segment.now)} -- ${what}`);

  for (const line of lines) {
    const [verb, ...words] = line.replace(/#.*/, '').trim().split(/\s+/);
    const name = words[0] ?? '';
    if (!['', 'router', 'group', 'delay', 'show', 'run'].includes(verb!)) note(line.trim());
    switch (verb) {
      case '':
        break;
      case 'router':
        segment.add(name, configOf(words.slice(1)));
        break;
      case 'group':
        segment.join(name, words.slice(1));
        break;
      case 'delay':
        delay = duration(name);
        break;
      case 'show':
        showAdverts = true;
        break;
      case 'lose':
        losses.set(name, Number(words[1]));
        break;
      case 'start':
        for (const each of words) segment.feed(each, { type: 'startup' });
        break;
      case 'stop':
        segment.feed(name, { type: 'shutdown', immediate: words[1] === 'now' });
        break;
      case 'kill':
        segment.kill(name);
        break;
      case 'revive':
        segment.revive(name);
        break;
      case 'partition':
        segment.partition(
          words
            .join(' ')
            .split('|')
            .map((side) => side.trim().split(' ')),
        );
        break;
      case 'heal':
        segment.partition([]);
        break;
      case 'fault':
        segment.fault(name, words.slice(1).join(' '));
        break;
      case 'recover':
        segment.recover(name);
        break;
      case 'priority':
        segment.feed(name, { type: 'priority', value: priority(Number(words[1])) });
        break;
      case 'resign':
        segment.feed(name, { type: 'priority', value: priority(Number(words[1])), resign: ip(words[2]!) });
        break;
      case 'deaf':
        segment.feed(name, { type: 'deaf', until: after(segment.now, duration(words[1]!)) });
        break;
      case 'alive':
        segment.feed(name, { type: 'alive' });
        break;
      case 'withdraw': {
        const reason = words[1] === 'fenced' ? 'fenced' : 'stalled';
        segment.feed(name, { type: 'withdraw', reason, announceLeave: reason === 'fenced' });
        break;
      }
      case 'run':
        segment.runUntil(after(segment.now, duration(name)));
        break;
      default:
        throw new Error(`no such command: ${line}`);
    }
  }
  note(`masters: ${segment.masters.join(' ') || 'none'}; addresses held by: ${segment.owners.join(' ') || 'nobody'}`);
  return trace;
}

/** One line of the trace; routine adverts only when they were asked for. */
function told({ at, name, effect, routine }: Happening, showAdverts: boolean): string | undefined {
  if (routine && effect.type === 'send' && !showAdverts) return undefined;
  return `${clock(at)} ${name} ${word(effect)}`;
}

function configOf([source = '', ...words]: readonly string[]): RouterConfig {
  const config: { -readonly [K in keyof RouterConfig]: RouterConfig[K] } = { ...CONFIG, source: ip(source) };
  for (let i = 0; i < words.length; i++) {
    switch (words[i]) {
      case 'priority':
        config.priority = priority(Number(words[++i]));
        break;
      case 'vrid':
        config.vrid = vrid(Number(words[++i]));
        break;
      case 'interval':
        config.interval = duration(words[++i]!);
        config.maxMasterInterval = micros(10 * config.interval);
        break;
      case 'nopreempt':
        config.preempt = false;
        break;
      case 'preempt_delay':
        config.preemptDelay = duration(words[++i]!);
        break;
      case 'break_before_make':
        config.makeBeforeBreak = false;
        break;
      case 'v2':
        config.version = 2;
        break;
      case 'owner_ignore_adverts':
        config.ownerIgnoresAdverts = true;
        break;
      case 'keepalived':
        config.fastHandover = false;
        config.advertiseBeforeYielding = false;
        break;
      case 'grouped':
        config.grouped = true;
        break;
      default:
        throw new Error(`no such option of a router: ${words[i]}`);
    }
  }
  return config;
}

function duration(text: string): Micros {
  const match = /^([\d.]+)(ms|s)$/.exec(text);
  if (!match) throw new Error(`not a duration: ${text}`);
  return match[2] === 's' ? seconds(Number(match[1])) : millis(Number(match[1]));
}

const clock = (at: number): string => (at / seconds(1)).toFixed(6).padStart(10);

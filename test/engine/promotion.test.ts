// promote_secondaries: set while somebody wants it, and as before afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceConfig } from '../../core/config/model.ts';
import type { EngineConfig } from '../../core/engine/messages.ts';
import { Promotion } from '../../core/engine/promotion.ts';
import { seconds } from '../../core/units.ts';
import { instance, virtualIp } from './instances.ts';

/** The settings of a machine with these interfaces; those of `sealed` cannot be written. */
function machine(values: Record<string, number>, sealed: readonly string[] = []) {
  const written: string[] = [];
  const complaints: string[] = [];
  const read: string[] = [];
  const nameOf = (path: string): string => /^net\/ipv4\/conf\/(.*)\/promote_secondaries$/.exec(path)![1]!;
  const promotion = new Promotion(
    {
      read(path) {
        read.push(nameOf(path));
        return values[nameOf(path)];
      },
      write(path, value) {
        if (sealed.includes(nameOf(path))) return 'EROFS';
        values[nameOf(path)] = value;
        written.push(`${nameOf(path)}=${value}`);
        return undefined;
      },
    },
    (level, text) => complaints.push(`${level} ${text}`),
    (device) => (device in values ? Object.keys(values).indexOf(device) + 1 : undefined),
  );
  return { promotion, values, written, complaints, read };
}

function configure(promotion: Promotion, change: Partial<EngineConfig>): void {
  promotion.configure({
    added: [],
    changed: [],
    removed: [],
    groups: [],
    addressLifetime: true,
    leaseTime: seconds(3),
    ...change,
  });
}

const wants = (changes: Partial<InstanceConfig> = {}): InstanceConfig =>
  instance({ promoteSecondaries: true, ...changes });

test('it is set on the interfaces of the instance and its addresses, and restored at the end', () => {
  const { promotion, values, written } = machine({ eth0: 0, eth1: 0, eth2: 0 });
  configure(promotion, { added: [wants({ vips: [{ ...virtualIp('10.1.0.1'), device: 'eth1' }] })] });
  assert.deepEqual(values, { eth0: 1, eth1: 1, eth2: 0 });
  configure(promotion, {});
  promotion.followLinks();
  assert.equal(written.length, 2);
  promotion.close();
  assert.deepEqual(values, { eth0: 0, eth1: 0, eth2: 0 });
});

test('a notice of the kernel reads no file while the interfaces are the same', () => {
  const { promotion, read } = machine({ eth0: 0 });
  configure(promotion, { added: [wants({ vips: [{ ...virtualIp('10.1.0.1'), device: 'not-there' }] })] });
  read.length = 0;
  promotion.followLinks();
  assert.deepEqual(read, []);
});

test('what was set before stays set', () => {
  const { promotion, written } = machine({ eth0: 1 });
  configure(promotion, { added: [wants()] });
  promotion.close();
  assert.deepEqual(written, []);
});

test('two instances on an interface: the last one to go restores it', () => {
  const { promotion, values } = machine({ eth0: 0 });
  configure(promotion, { added: [wants({ name: 'A' }), wants({ name: 'B' })] });
  configure(promotion, { removed: ['A'] });
  assert.equal(values['eth0'], 1);
  configure(promotion, { changed: [{ name: 'B', config: instance({ name: 'B' }) }] });
  assert.equal(values['eth0'], 0);
});

test('an interface that comes later, or comes again, gets it then', () => {
  const { promotion, values } = machine({});
  configure(promotion, { added: [wants()] });
  values['eth0'] = 0;
  promotion.followLinks();
  assert.equal(values['eth0'], 1);
  delete values['eth0'];
  promotion.followLinks();
  values['eth0'] = 0;
  promotion.followLinks();
  assert.equal(values['eth0'], 1);
});

test('a refusal is told once, and nothing is restored that was not set', () => {
  const { promotion, complaints, written } = machine({ eth0: 0 }, ['eth0']);
  configure(promotion, { added: [wants()] });
  promotion.followLinks();
  assert.deepEqual(complaints, ['warning promote_secondaries of eth0 cannot be set: EROFS; see net.ipv4.conf']);
  promotion.close();
  assert.deepEqual(written, []);
});

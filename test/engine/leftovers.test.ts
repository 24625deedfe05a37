// What a crashed life left bound, with an owner (priority 255): its addresses may be the machine's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis, priority, seconds } from '../../core/units.ts';
import { instance, virtualIp } from './instances.ts';
import { SimulatedLan } from './simulated-lan.ts';

const owner = () => instance({ priority: priority(255) });

function machine(marked: boolean) {
  const lan = new SimulatedLan();
  const node = lan.add('10.0.0.1');
  const vip = virtualIp('10.0.0.100');
  node.kernel.set(vip.address, { vip, lifetime: 'forever', boundAt: lan.now, marked });
  return { lan, node };
}

test('an owner that starts in FAULT lets go of what its crashed life bound', () => {
  const { lan, node } = machine(true);
  node.link = { ...node.link, running: false };
  node.configure([owner()]);
  lan.run(millis(1));
  assert.equal(node.state(), 'FAULT');
  assert.equal(node.holds('10.0.0.100'), false);
});

test('an address that the machine has of its own stays with an owner in FAULT', () => {
  const { lan, node } = machine(false);
  node.link = { ...node.link, running: false };
  node.configure([owner()]);
  lan.run(seconds(1));
  assert.equal(node.holds('10.0.0.100'), true);
});

test('an owner that is master at once keeps what its crashed life bound, without a gap', () => {
  const { lan, node } = machine(true);
  node.configure([owner()]);
  const removed: string[] = [];
  const remove = node.kernel.delete.bind(node.kernel);
  node.kernel.delete = (address) => {
    removed.push(address);
    return remove(address);
  };
  lan.run(millis(1));
  assert.equal(node.state(), 'MASTER');
  assert.deepEqual(removed, []);
});

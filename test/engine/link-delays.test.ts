// interface_up_down_delays and track_src_ip in whole engines in virtual time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EngineConfig } from '../../core/engine/messages.ts';
import { ip } from '../../core/net/address.ts';
import { seconds } from '../../core/units.ts';
import { instance } from './instances.ts';
import { SimulatedLan } from './simulated-lan.ts';

const delays = (down: number, up: number): Partial<EngineConfig> => ({
  interfaceDelays: [{ interface: 'eth0', down: seconds(down), up: seconds(up) }],
});

function master(options: Partial<EngineConfig>) {
  const lan = new SimulatedLan();
  const node = lan.add('10.0.0.1');
  node.configure([instance()], options);
  lan.run(seconds(20));
  assert.equal(node.state(), 'MASTER');
  return { lan, node };
}

describe('interface_up_down_delays', () => {
  test('a link that fails for less than the delay has not failed', () => {
    const { lan, node } = master(delays(2, 0));
    const told = node.transitions.length;
    for (let i = 0; i < 5; i++) {
      node.setLink(false);
      lan.run(seconds(1.9));
      node.setLink(true);
      lan.run(seconds(1));
    }
    assert.equal(node.transitions.length, told);
  });

  test('a link that fails for the delay has failed, then and not before', () => {
    const { lan, node } = master(delays(2, 0));
    node.setLink(false);
    lan.run(seconds(1));
    node.setLink(false); // told again, as the kernel does when anything about the link changes
    lan.run(seconds(0.99));
    assert.equal(node.state(), 'MASTER');
    lan.run(seconds(0.02));
    assert.equal(node.state(), 'FAULT');
  });

  test('a link that comes back counts when it has been there for its delay without a break', () => {
    const { lan, node } = master(delays(0, 3));
    node.setLink(false);
    lan.run(seconds(0.1));
    assert.equal(node.state(), 'FAULT');
    node.setLink(true);
    lan.run(seconds(2));
    node.setLink(false);
    lan.run(seconds(0.1));
    node.setLink(true);
    lan.run(seconds(2.9));
    assert.equal(node.state(), 'FAULT');
    lan.run(seconds(0.2));
    assert.equal(node.state(), 'BACKUP');
  });

  test('without delays a change counts at once', () => {
    const { lan, node } = master({});
    node.setLink(false);
    lan.run(seconds(0.001));
    assert.equal(node.state(), 'FAULT');
  });

  test('the state at the start counts at once', () => {
    const lan = new SimulatedLan();
    const node = lan.add('10.0.0.1');
    node.setLink(false);
    node.configure([instance()], delays(60, 60));
    lan.run(seconds(0.1));
    assert.equal(node.state(), 'FAULT');
  });

  test('a reload without the delays ends what is being waited for', () => {
    const { lan, node } = master(delays(60, 60));
    node.setLink(false);
    lan.run(seconds(1));
    assert.equal(node.state(), 'MASTER');
    node.configure([instance()]);
    lan.run(seconds(0.1));
    assert.equal(node.state(), 'FAULT');
  });

  test('a reload that leaves the delays alone leaves the waiting alone', () => {
    const { lan, node } = master(delays(2, 0));
    node.setLink(false);
    lan.run(seconds(1));
    node.configure([instance()], delays(2, 0));
    lan.run(seconds(0.9));
    assert.equal(node.state(), 'MASTER');
    lan.run(seconds(0.2));
    assert.equal(node.state(), 'FAULT');
  });
});

describe('track_src_ip', () => {
  const unicast = (trackSource: boolean) =>
    instance({
      trackSource,
      transport: { mode: 'unicast', source: ip('10.0.0.1'), peers: [], ttl: 255 },
    });

  for (const [trackSource, state] of [
    [true, 'FAULT'],
    [false, 'MASTER'],
  ] as const)
    test(`${trackSource ? 'with' : 'without'} it a router whose source address goes is ${state}`, () => {
      const lan = new SimulatedLan();
      const node = lan.add('10.0.0.1');
      node.configure([unicast(trackSource)]);
      lan.run(seconds(20));
      assert.equal(node.state(), 'MASTER');
      node.setAddress(false);
      lan.run(seconds(0.1));
      assert.equal(node.state(), state);
      if (trackSource)
        assert.equal(node.transitions.at(-1)!.detail, 'the source address 10.0.0.1 is not on this machine');
      node.setAddress(true);
      lan.run(seconds(20));
      assert.equal(node.state(), 'MASTER');
    });
});

import { Action, Assignment, CommandOutcome } from '@muster/proto/records';
import type { Signed } from '@muster/proto/records';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadSha256, signRecord } from './index.ts';
import { root, signer, World } from './world.fixture.ts';

const names = ['web', 'db', 'api'];
const step = fc.oneof(
  ...[
    'up',
    'up',
    'up',
    'down',
    'down',
    'down',
    'dropUp',
    'dropDown',
    'repeatUp',
    'repeatDown',
    'cut',
    'connect',
    'connect',
    'restartAgent',
    'restartHub',
    'beat',
    'work',
    'command',
  ].map((kind) => fc.constant({ kind, name: '' })),
  ...['assign', 'remove', 'report', 'report'].map((kind) =>
    fc.record({ kind: fc.constant(kind), name: fc.constantFrom(...names) }),
  ),
);

function perform(world: World, { kind, name }: { kind: string; name: string }) {
  switch (kind) {
    case 'up':
      return world.deliverUp();
    case 'down':
      return world.deliverDown();
    case 'dropUp':
      return void world.up.shift();
    case 'dropDown':
      return void world.down.shift();
    case 'repeatUp':
      return world.deliverUp(true);
    case 'repeatDown':
      return world.deliverDown(true);
    case 'cut':
      return world.cut();
    case 'connect':
      return world.connect();
    case 'restartAgent':
      world.cut();
      return world.agent.start();
    case 'restartHub':
      return world.cut();
    case 'beat':
      return world.agentDoes(world.agent.link.handle({ kind: 'heartbeat' }));
    case 'work':
      return world.finishWork();
    case 'report':
      return world.report(name);
    case 'command': {
      const id = `cmd${++world.counter}`;
      const signed = world.hub.issue(id);
      if (world.hub.session)
        world.hubDoes(world.hub.session.handle({ kind: 'commands', commands: [{ ...signed, id }] }));
      return;
    }
    case 'assign':
    case 'remove': {
      if (kind === 'remove' && !world.hub.desired.has(`argocd/${name}`)) return;
      world.assign(name, kind === 'assign' ? Action.APPLY : Action.UNINSTALL);
      return;
    }
  }
}

describe('the link, whatever is lost, repeated or cut', () => {
  it('converges: both sides hold the same, every status arrives, no command is lost or run twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const world = new World();
        for (const s of steps) perform(world, s);
        world.settle();
        const wanted = [...world.hub.desired].map(([k, r]) => [k, r.version.generation]).sort();
        const held = [...world.agent.link.held].map(([k, h]) => [k, h.assignment.version!.generation]).sort();
        expect(held).toEqual(wanted);
        expect([...world.hub.desired.values()].every((r) => r.action === Action.APPLY)).toBe(true);
        for (const [key, row] of world.hub.desired)
          expect(world.hub.acked.get(key)).toBe(row.version.generation);
        expect([...world.hub.statuses.keys()].every((k) => world.agent.link.held.has(k))).toBe(true);
        for (const [key, status] of world.agent.latest) {
          if (world.agent.link.held.has(key))
            expect(world.hub.statuses.get(key)?.healthMessage).toBe(status.healthMessage);
        }
        for (const [id, command] of world.hub.commands) {
          expect(command.outcome).toBeDefined();
          const runs = world.agent.runs.get(id) ?? 0;
          expect(runs).toBeLessThanOrEqual(1);
          if (command.outcome === CommandOutcome.SUCCEEDED) expect(runs).toBe(1);
        }
        expect(world.agent.link.reportsDrained).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('an old assignment replayed after its tombstone is refused', () => {
    const world = new World();
    world.connect();
    const old = world.assign('web', Action.APPLY);
    world.settle();
    world.assign('web', Action.UNINSTALL);
    world.settle();
    const effects = world.agent.link.handle({
      kind: 'received',
      message: { $case: 'assignment', value: old.signed },
      nowMs: 0,
    });
    expect(effects.map((e) => e.kind)).toEqual(['refused', 'send']);
    expect(world.agent.link.held.size).toBe(0);
  });

  it('refuses what is altered, of another cluster, of another domain or signed by a key of another use', () => {
    const world = new World();
    const good = world.hub.assign('web', Action.APPLY).signed;
    const offer = (value: Signed) =>
      world.agent.link.handle({ kind: 'received', message: { $case: 'assignment', value }, nowMs: 0 });
    const altered = Buffer.from(good.payload);
    altered[altered.length - 1]! ^= 1;
    const elsewhere = Assignment.encode({ ...Assignment.decode(good.payload), clusterId: 'c2' }).finish();
    const attempts: Signed[] = [
      { ...good, payload: altered },
      signRecord('muster.assignment.v1', elsewhere, signer, 'a'),
      signRecord('muster.command.v1', good.payload, signer, 'a'),
      signRecord('muster.assignment.v1', good.payload, signer, 'c'),
      signRecord('muster.assignment.v1', good.payload, root, 'root'),
    ];
    for (const attempt of attempts) {
      expect(offer(attempt)[0]?.kind).toBe('refused');
      expect(world.agent.link.held.size).toBe(0);
    }
    expect(offer(good)[0]?.kind).toBe('persist');
  });

  it('knows what was refused by the bytes that it sent, also when they were altered where they are stored', () => {
    const world = new World();
    world.connect();
    world.settle();
    const session = world.hub.session!;
    const alter = (signed: Signed): Signed => {
      const payload = Buffer.from(signed.payload);
      payload[payload.length - 1]! ^= 1;
      return { ...signed, payload };
    };
    const row = world.hub.assign('web', Action.APPLY);
    const sent = alter(row.signed);
    session.handle({ kind: 'assignments', rows: [{ ...row, signed: sent }] });
    const ack = { applicationNamespace: '', applicationName: '', version: undefined, refused: 'altered' };
    const refused = {
      $case: 'assignmentAck' as const,
      value: { ...ack, payloadSha256: payloadSha256(sent) },
    };
    expect(session.handle({ kind: 'received', message: refused, nowMs: 0 })).toEqual([
      { kind: 'refused', payloadSha256: row.payloadSha256, reason: 'altered' },
    ]);

    const command = alter(world.hub.issue('c-1'));
    session.handle({ kind: 'commands', commands: [{ ...command, id: 'c-1' }] });
    const answered = world.agent.link
      .handle({ kind: 'received', message: { $case: 'command', value: command }, nowMs: 0 })
      .flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));
    expect(answered).toHaveLength(1);
    expect(session.handle({ kind: 'received', message: answered[0], nowMs: 0 })).toMatchObject([
      { kind: 'store-command-result', result: { commandId: 'c-1', outcome: CommandOutcome.REFUSED } },
    ]);
  });
});

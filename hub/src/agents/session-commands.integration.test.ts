import { CommandOutcome, Facts } from '@muster/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommandVerb } from '../commands/command.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { LinkFixture } from './testing/fixture.ts';
import { eventually } from '../testing/index.ts';

let fixture: LinkFixture;
beforeAll(async () => {
  fixture = await LinkFixture.start();
});
afterAll(() => fixture?.stop());

it('delivers commands until they have a result, once', async () => {
  const agent = await fixture.connected('commanded');
  agent.disconnect();
  const commands = fixture.hub.app.get(CommandsService, { strict: false });
  const clusterId = await fixture.clusterId('commanded');
  const id = await fixture.db.transaction().execute((trx) =>
    commands.issue(trx, {
      clusterId,
      application: { namespace: 'argocd', name: 'web' },
      verb: { kind: 'sync', prune: true },
      actor: 'admin',
    }),
  );
  agent.connect();
  await eventually(() => expect(agent.commands.map((each) => each.id)).toEqual([id]));
  expect(agent.commands[0]!.verb).toMatchObject({ $case: 'sync', value: { prune: true } });
  agent.disconnect();
  agent.connect();
  await eventually(() => expect(agent.welcome).toBeDefined());
  const other = await fixture.connected('not-commanded');
  const forged = {
    commandId: id,
    outcome: CommandOutcome.FAILED,
    message: 'not mine',
    finishedAtMs: 0n,
    payloadSha256: Buffer.alloc(0),
  };
  other.sendRaw({ $case: 'commandResult', value: forged });
  await eventually(() => expect(other.received.some((each) => each.$case === 'commandResultAck')).toBe(true));
  expect((await commands.get(id)).outcome).toBeNull();
  other.disconnect();
  const waiting = fixture.hub.request('GET', `/api/v1/commands/${id}?wait=10`);
  agent.dispatch({
    kind: 'command-finished',
    id,
    outcome: CommandOutcome.SUCCEEDED,
    message: 'done',
    nowMs: Date.now(),
  });
  expect((await waiting).body).toMatchObject({
    outcome: 'succeeded',
    message: 'done',
    cluster: 'commanded',
  });
  expect(agent.commands).toHaveLength(1);
  agent.disconnect();
});

it('refuses at once what the agent says it does not accept', async () => {
  const agent = await fixture.connected('observer');
  const commands = fixture.hub.app.get(CommandsService, { strict: false });
  const clusterId = await fixture.clusterId('observer');
  const limits = {
    verbs: ['refresh', 'diff', 'inspect', 'logs'],
    namespaces: ['team-*'],
    kinds: [],
    clusterKinds: [],
    serviceAccounts: [],
    needsServiceAccount: false,
  };
  const facts = { ...Facts.fromPartial({ kubernetesVersion: 'v1.34.0' }), limits };
  agent.sendRaw({ $case: 'heartbeat', value: { fingerprint: Buffer.alloc(0), highest: undefined, facts } });
  await eventually(async () =>
    expect((await fixture.hub.request('GET', '/api/v1/clusters/observer')).body.limits).toMatchObject({
      accepts: 'observe-only',
      observeOnly: true,
      namespaces: ['team-*'],
    }),
  );
  const issue = (verb: CommandVerb) =>
    fixture.db.transaction().execute((trx) => commands.issue(trx, { clusterId, verb, actor: 'admin' }));
  await expect(issue({ kind: 'sync' })).rejects.toMatchObject({
    code: 'precondition',
    message: expect.stringContaining('does not accept sync: it is set to observe-only'),
  });
  await expect(issue({ kind: 'refresh' })).resolves.toBeDefined();
  await expect(issue({ kind: 'sync', dryRun: true })).resolves.toBeDefined();
  agent.disconnect();
});

it('ends commands that nobody took as expired, and those without an answer as unknown', async () => {
  await fixture.agent('absent');
  const commands = fixture.hub.app.get(CommandsService, { strict: false });
  const clusterId = await fixture.clusterId('absent');
  const issue = () =>
    fixture.db
      .transaction()
      .execute((trx) => commands.issue(trx, { clusterId, verb: { kind: 'refresh' }, actor: 'admin' }));
  const [unsent, sent] = [await issue(), await issue()];
  await fixture.db
    .updateTable('commands')
    .set({ expires_at: sql<Date>`now() - interval '2 hours'` })
    .where('id', 'in', [unsent, sent])
    .execute();
  await fixture.db.updateTable('commands').set({ sent_at: new Date() }).where('id', '=', sent).execute();
  await commands.sweep();
  expect((await commands.get(unsent)).outcome).toBe('expired');
  expect((await commands.get(sent)).outcome).toBe('unknown');
});

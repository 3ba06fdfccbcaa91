import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { CommandOutcome } from '@muster/proto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Listening } from '../api/readiness.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { readConfig } from '../config.ts';
import { type RunningHub, startHub } from '../hub.ts';
import { Keys } from '../keys/keys.ts';
import { LinkFixture } from './testing/fixture.ts';
import { TestAgent } from './testing/test-agent.ts';
import { eventually } from '../testing/index.ts';

describe('two replicas on one database', () => {
  const keysDir = mkdtempSync(join(tmpdir(), 'muster-replicas-'));
  const dataDir = mkdtempSync(join(tmpdir(), 'muster-replicas-'));
  let one: LinkFixture;
  let two: RunningHub;
  beforeAll(async () => {
    await Keys.open(keysDir);
    one = await LinkFixture.start({ MUSTER_KEYS_DIR: keysDir });
    const env = { MUSTER_DATA_DIR: dataDir, DATABASE_URL: one.hub.database.url, MUSTER_KEYS_DIR: keysDir };
    const ports = { MUSTER_HTTP_PORT: '0', MUSTER_SESSION_PORT: '0', MUSTER_ENROL_PORT: '0' };
    two = await startHub(readConfig({ ...env, ...ports }), pino({ level: 'silent' }));
  });
  afterAll(async () => {
    await two?.stop();
    await one?.stop();
    rmSync(keysDir, { recursive: true, force: true });
    rmSync(dataDir, { recursive: true, force: true });
  });
  const atTwo = () => {
    const { session, enrol } = two.app.get(Listening);
    return { session: session!, enrol: enrol!, ca: one.address.ca };
  };

  it('fence each other: an agent that dials the second is cut off from the first', async () => {
    const first = await one.agent('moves');
    first.connect();
    await eventually(() => expect(first.link.reportsDrained && first.welcome).toBeTruthy());
    const second = new TestAgent(atTwo(), first.identity, first.kubeSystemUid);
    second.connect();
    await eventually(() => expect(first.ended?.code).toBe(status.ABORTED));
    await eventually(() => expect(second.welcome).toBeDefined());
    expect(second.ended).toBeUndefined();
    second.disconnect();
  });

  it('reach a session wherever it is: assignments, commands, results, revocation, new keys', async () => {
    const agent = await one.agent('elsewhere');
    agent.moveTo(atTwo());
    agent.connect();
    await eventually(() => expect(agent.welcome).toBeDefined());
    await one.assign('elsewhere', 'web');
    await eventually(() => expect(agent.link.held.size).toBe(1));
    const commands = one.hub.app.get(CommandsService, { strict: false });
    const clusterId = await one.clusterId('elsewhere');
    const id = await one.db
      .transaction()
      .execute((trx) => commands.issue(trx, { clusterId, verb: { kind: 'refresh' }, actor: 'admin' }));
    await eventually(() => expect(agent.commands).toHaveLength(1));
    const waited = commands.wait(id, AbortSignal.timeout(10_000));
    agent.dispatch({
      kind: 'command-finished',
      id,
      outcome: CommandOutcome.SUCCEEDED,
      message: '',
      nowMs: Date.now(),
    });
    expect((await waited).outcome).toBe('succeeded');
    await one.hub.request('DELETE', '/api/v1/clusters/moves?mode=forget');
    await one.hub.request('POST', '/api/v1/keys/rotate');
    await eventually(() => expect(one.keys.active.assignment).toBe('assignment-2'));
    await eventually(() =>
      expect(two.app.get(Keys, { strict: false }).active.assignment).toBe('assignment-2'),
    );
    await one.hub.request('POST', '/api/v1/clusters/elsewhere/revoke-certificates');
    await eventually(() => expect(agent.ended?.code).toBe(status.UNAUTHENTICATED));
  });
});

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { Action, KeySet } from '@muster/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RemovalService } from '../clusters/removal.service.ts';
import { LinkFixture } from './testing/fixture.ts';
import { eventually } from '../testing/index.ts';

describe('removal and rotation', () => {
  let fixture: LinkFixture;
  beforeAll(async () => {
    fixture = await LinkFixture.start();
  });
  afterAll(() => fixture?.stop());
  const holding = async (name: string, ...applications: string[]) => {
    const agent = await fixture.agent(name);
    agent.connect();
    await eventually(() => expect(agent.welcome).toBeDefined());
    for (const each of applications) await fixture.assign(name, each);
    await eventually(() => expect(agent.link.held.size).toBe(applications.length));
    return agent;
  };
  const remove = (name: string, mode: string) =>
    fixture.hub.request('DELETE', `/api/v1/clusters/${name}?mode=${mode}`);
  const gone = async (name: string) =>
    (await fixture.hub.request('GET', `/api/v1/clusters/${name}`)).status === 404;

  it('asks which removal is meant', async () => {
    await fixture.agent('asked');
    expect((await fixture.hub.request('DELETE', '/api/v1/clusters/asked')).status).toBe(400);
  });

  it.each([
    ['keep', Action.ORPHAN],
    ['uninstall', Action.UNINSTALL],
  ])('%s: tombstones first, and gone once the cluster confirmed them all', async (mode, action) => {
    const agent = await holding(`leaves-${mode}`, 'x', 'y');
    expect((await remove(`leaves-${mode}`, mode)).body).toEqual({ result: 'removing' });
    await eventually(() =>
      expect([...agent.link.held.values()].map((each) => each.assignment.action)).toEqual([action, action]),
    );
    agent.finish('argocd/x');
    await eventually(() => expect(agent.link.reportsDrained).toBe(true));
    expect((await fixture.cluster(`leaves-${mode}`)).state).toBe('removing');
    agent.finish('argocd/y');
    await eventually(async () => expect(await gone(`leaves-${mode}`)).toBe(true));
    await eventually(() => expect(agent.ended?.code).toBe(status.UNAUTHENTICATED));
    expect(agent.link.held.size).toBe(0);
  });

  it('forget: gone at once, nothing is sent, and its certificate no longer counts', async () => {
    const agent = await holding('dead', 'kept');
    expect((await remove('dead', 'forget')).body).toEqual({ result: 'gone' });
    expect(await gone('dead')).toBe(true);
    await eventually(() => expect(agent.ended?.code).toBe(status.UNAUTHENTICATED));
    expect(agent.link.held.get('argocd/kept')!.assignment.action).toBe(Action.APPLY);
    agent.disconnect();
    agent.connect();
    await eventually(() => expect(agent.ended?.code).toBe(status.UNAUTHENTICATED));
    expect(await gone('dead')).toBe(true);
  });

  it('does not uninstall a cluster that comes back after a long silence without a new confirmation', async () => {
    const agent = await holding('lost', 'precious');
    agent.disconnect();
    await remove('lost', 'uninstall');
    const past = sql<Date>`now() - interval '3 days'`;
    await fixture.db
      .updateTable('clusters')
      .set({ last_seen_at: past, removal_requested_at: past })
      .where('name', '=', 'lost')
      .execute();
    agent.connect();
    await eventually(() =>
      expect(agent.welcome).toMatchObject({
        holding: true,
        holdingReason: expect.stringContaining('new confirmation'),
      }),
    );
    expect(agent.link.held.get('argocd/precious')!.assignment.action).toBe(Action.APPLY);
    expect((await fixture.cluster('lost')).removal).toMatchObject({
      mode: 'uninstall',
      heldSince: expect.any(String),
    });
    await remove('lost', 'uninstall');
    await eventually(() =>
      expect(agent.link.held.get('argocd/precious')!.assignment.action).toBe(Action.UNINSTALL),
    );
    agent.finish('argocd/precious');
    await eventually(async () => expect(await gone('lost')).toBe(true));
  });

  it('removes a cluster that holds nothing without waiting for it', async () => {
    await fixture.agent('empty');
    await remove('empty', 'keep');
    await fixture.hub.app.get(RemovalService, { strict: false }).finishEmptied();
    expect(await gone('empty')).toBe(true);
  });

  it('signs with new keys only once every cluster has acknowledged them', async () => {
    for (const each of ['asked']) await remove(each, 'forget');
    const here = await holding('here', 'before');
    const away = await fixture.agent('away');
    const rotated = await fixture.hub.request('POST', '/api/v1/keys/rotate');
    expect(rotated.body).toMatchObject({ keySetVersion: '2', rotating: true });
    await eventually(async () =>
      expect((await fixture.hub.request('GET', '/api/v1/keys')).body).toMatchObject({
        waitingFor: ['away'],
        acknowledged: 1,
      }),
    );
    await fixture.assign('here', 'during');
    await eventually(() => expect(here.link.held.get('argocd/during')?.signed.keyId).toBe('assignment-1'));
    expect((await fixture.hub.request('POST', '/api/v1/keys/rotate')).body.code).toBe('precondition');
    // One that joins meanwhile has the new set from its enrolment on.
    const late = await fixture.agent('late');
    late.connect();
    await eventually(() => expect(late.welcome).toBeDefined());
    expect((await fixture.cluster('late')).keySetVersion).toBe('2');
    late.disconnect();
    away.connect();
    await eventually(async () =>
      expect((await fixture.hub.request('GET', '/api/v1/keys')).body).toMatchObject({
        rotating: false,
        waiting: 0,
      }),
    );
    await fixture.assign('here', 'after');
    await eventually(() => expect(here.link.held.get('argocd/after')?.signed.keyId).toBe('assignment-2'));
    expect(here.refused).toEqual([]);
    expect(KeySet.decode(fixture.keys.keySet().payload).keys.map((key) => key.id)).toEqual([
      'assignment-1',
      'command-1',
      'assignment-2',
      'command-2',
    ]);
    here.disconnect();
    away.disconnect();
  });

  it('never puts a private key, a sealing key or the seed into PostgreSQL', async () => {
    const tables = await sql<{ name: string }>`
      select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`.execute(
      fixture.db,
    );
    let dump = '';
    for (const { name } of tables.rows) {
      const rows = await sql<{ row: string }>`select t::text as row from ${sql.raw(name)} t`.execute(
        fixture.db,
      );
      dump += rows.rows.map((each) => each.row).join('\n');
    }
    expect(dump).toContain('assignment-2');
    const folder = join(fixture.hub.dataDir, 'keys');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
      (each) =>
        each.isFile() && each.name !== 'ca.crt' && each.name !== 'keyset.json' && each.name !== 'active.json',
    );
    expect(files.length).toBeGreaterThan(6);
    for (const file of files) {
      for (const secret of secretsOf(readFileSync(join(file.parentPath, file.name)))) {
        for (const form of [secret.toString('hex'), secret.toString('base64'), secret.toString('base64url')])
          expect(dump.includes(form)).toBe(false);
      }
    }
  });
});

/** The secret bytes of a key file in each form it could be copied in. */
function secretsOf(content: Buffer): Buffer[] {
  const text = content.toString('utf8');
  if (text.startsWith('-----BEGIN')) {
    const der = Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    return [der.subarray(0, 48), der.subarray(-32)];
  }
  if (text.startsWith('{'))
    return Object.values((JSON.parse(text) as { keys: Record<string, string> }).keys).map((key) =>
      Buffer.from(key, 'base64'),
    );
  return [content];
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Assignment } from '@muster/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { ApplicationActions } from './application-actions.service.ts';
import { ApplicationRemovals } from './application-removals.service.ts';
import { type TestHub, application, startTestHub } from './pipeline.fixture.ts';

const APPROVED = 'argocd.argoproj.io/deletion-approved';
const folder = mkdtempSync(join(tmpdir(), 'muster-removal-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  await hub.cluster('dev');
  hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'web');
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const actions = () => hub.running.app.get(ApplicationActions, { strict: false });
const removals = () => hub.running.app.get(ApplicationRemovals, { strict: false });
const tombstone = async (name: string) => Assignment.decode((await hub.assignment('dev', name)).payload);

const leaving = (name: string, annotations: Record<string, string> = {}, path = 'web') => {
  const one = application(hub, name, path);
  return { ...one, metadata: { ...one.metadata, annotations } };
};

test('a newer deletion-approved annotation alone reaches the removal that is under way', async () => {
  await hub.apply([leaving('asked', { [APPROVED]: '2026-01-01T00:00:00Z' })]);
  await hub.assignment('dev', 'asked');
  await removals().remove(systemActor, 'argocd', 'asked', true);
  await hub.eventually(async () => expect((await hub.assignment('dev', 'asked')).action).toBe('uninstall'));
  const before = await hub.assignment('dev', 'asked');
  // What was said before it was deleted approves nothing.
  expect((await tombstone('asked')).deletionApprovedMs).toBe(0n);
  await expect(hub.apply([leaving('asked', { [APPROVED]: '2026-01-01T00:00:00Z' })])).rejects.toThrow(
    'is being removed',
  );
  const approval = { [APPROVED]: '2026-02-01T00:00:00Z' };
  await expect(hub.apply([leaving('asked', approval, 'elsewhere')])).rejects.toThrow('is being removed');
  const { results } = await hub.apply([leaving('asked', approval)]);
  expect(results).toMatchObject([{ result: 'configured' }]);
  await hub.eventually(async () => expect((await tombstone('asked')).deletionApprovedMs).not.toBe(0n));
  const after = await hub.assignment('dev', 'asked');
  expect(after).toMatchObject({ action: 'uninstall', acked_at: null });
  expect(after.generation).toBeGreaterThan(before.generation);
  const audit = await hub.db
    .selectFrom('audit')
    .select('action')
    .where('object', '=', 'application/argocd/asked')
    .execute();
  expect(audit.map(({ action }) => action)).toContain('application.approve-deletion');
  await hub.idle();
  expect((await hub.assignment('dev', 'asked')).generation).toBe(after.generation);
});

test('a confirmation reaches a removal that is under way, and none that has not begun', async () => {
  await hub.apply([leaving('confirmed')]);
  await hub.assignment('dev', 'confirmed');
  const at = new Date(Date.now() + 3_600_000);
  await hub.db
    .updateTable('applications')
    .set({ leaving_at: at, leaving_action: 'uninstall' })
    .where('name', '=', 'confirmed')
    .execute();
  const confirm = () => actions().confirm(systemActor, 'argocd', 'confirmed', {});
  await expect(confirm()).rejects.toThrow('has not begun');
  await removals().remove(systemActor, 'argocd', 'confirmed', true);
  await hub.eventually(async () =>
    expect((await hub.assignment('dev', 'confirmed')).action).toBe('uninstall'),
  );
  const { command } = await confirm();
  const row = await hub.db
    .selectFrom('commands')
    .selectAll()
    .where('id', '=', command)
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({ verb: 'confirm', application_name: 'confirmed' });
});

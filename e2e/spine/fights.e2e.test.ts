import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Running, eventually, startProcess } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { application, configMap } from './testing/documents.ts';

const writer = fileURLToPath(new URL('testing/other-writer.ts', import.meta.url));
let fleet: Fleet;
let secret: string;
let other: Running | undefined;

beforeAll(async () => {
  fleet = await startFleet({ clusters: ['dev'] });
  await fleet.repository.commit(
    {
      'app/a.yaml': configMap('fought', { value: 'ours' }),
      'app/b.yaml': configMap('quiet', { value: 'ours' }),
    },
    'ours',
  );
  await fleet.apply(application(fleet.repository.url, 'app', { on: 'dev' }));
  await fleet.synced('app');
  ({ secret } = await fleet.client.tokens.create({ name: 'fights' }));
});
afterAll(async () => {
  await other?.kill();
  await fleet?.stop();
});

const valueOf = async (name: string) =>
  (await fleet.kube('dev').get('v1/ConfigMap', `app/${name}`)).data.value;
const condition = async () =>
  (await fleet.app('app')).conditions.find(({ type }) => type === 'SelfHealBackoff')?.message;
it('ends a fight over an object with a word about who fights, heals the others, and goes on when the other stops', async () => {
  const kubeconfig = fleet.member('dev').plane.kubeconfig;
  const theirs = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'fought', namespace: 'app' },
    data: { value: 'theirs' },
  };
  other = await startProcess({
    name: 'the other writer',
    command: process.execPath,
    args: [writer, kubeconfig, 'rival-operator', JSON.stringify(theirs)],
    log: join(fleet.dir, 'other-writer.log'),
  });
  const message = await eventually((see) => condition().then(see), {
    what: 'the condition',
    timeout: 60_000,
  });
  expect(message).toMatch(
    /ConfigMap.*fought was put back 6 times within ten minutes and changed again by rival-operator \(Apply, last at 20/,
  );
  await eventually(async () => (await valueOf('fought')) === 'theirs', { what: 'the other to have its way' });

  // What a person sees, and may do.
  const got = await fleet.muster(secret, 'app', 'get', 'app');
  expect(got.stdout).toMatch(/SelfHealBackoff[\s\S]*rival-operator \(Apply/);
  await fleet.kube('dev').patch('v1/ConfigMap', 'app/quiet', { data: { value: 'edited' } });
  await eventually(async () => (await valueOf('quiet')) === 'ours', { what: 'the heal of another object' });
  expect(await condition()).toBe(message);

  await other.kill();
  other = undefined;
  const synced = await fleet.muster(secret, 'app', 'sync', 'app', '--wait');
  expect(synced.code, synced.stderr).toBe(0);
  expect(await valueOf('fought')).toBe('ours');

  // Left alone still: it is put back when the pause is over, and not before.
  await fleet.kube('dev').apply(theirs, { fieldManager: 'rival-operator', force: true });
  await fleet.until('app', 'to be OutOfSync', ({ sync }) => sync === 'OutOfSync');
  await eventually(async () => (await valueOf('fought')) === 'ours', {
    what: 'the heal after the pause',
    timeout: 120_000,
  });
  await eventually(async () => (await condition()) === undefined, {
    what: 'the condition to go by itself',
    timeout: 60_000,
  });
  await fleet.synced('app');
});

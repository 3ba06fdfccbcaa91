import { appendFile } from 'node:fs/promises';
import { LogsQuery, CommandOutcome, ObjectQuery, EventsQuery, ActCommand } from '@muster/proto/records';
import type { TreeNode } from '@muster/kube';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment } from './testing/objects.ts';
import type { TestAnswer } from './testing/test-asks.ts';

const test = agentFixture('access');
const { joined, settled, find, gone, result } = test;

const secret = (name: string, value: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { password: value },
});

const object = (group: string, kind: string, name: string, uid = '') => ({
  group,
  kind,
  namespace: 'default',
  name,
  uid,
});

async function answered(answer: TestAnswer): Promise<TestAnswer> {
  await eventually(() => answer.ended, { what: 'an answer' });
  return answer;
}

async function tree(application: string): Promise<TreeNode[]> {
  const answer = await answered(test.hub.ask(application, { $case: 'tree', value: {} }));
  expect(answer.end, JSON.stringify(answer.end)).toMatchObject({ code: '' });
  return (JSON.parse(answer.text) as { nodes: TreeNode[] }).nodes;
}

const look = (application: string, of: ReturnType<typeof object>, diff = true) =>
  answered(
    test.hub.ask(application, { $case: 'object', value: ObjectQuery.fromPartial({ object: of, diff }) }),
  );

async function act(
  application: string,
  of: ReturnType<typeof object>,
  action: string,
  parameters: Record<string, string> = {},
) {
  const value = ActCommand.fromPartial({ object: of, action, parameters });
  const id = test.hub.command(application, { $case: 'act', value });
  return { id, ...(await result(id)) };
}

const { SUCCEEDED, REFUSED, FAILED } = CommandOutcome;

describe('objects of an Application', () => {
  it('are told with what they own, on demand', async () => {
    await joined();
    await test.hub.assign({ name: 'tree', objects: [deployment('web'), configMap('settings')] });
    await settled('tree', 'Synced', 'Healthy');
    const nodes = await tree('tree');
    const kinds = nodes.map(({ kind, managed }) => `${kind} ${managed}`);
    expect(kinds.sort()).toEqual([
      'ConfigMap true',
      'Deployment true',
      'Pod false',
      'Pod false',
      'ReplicaSet false',
    ]);
    const set = nodes.find(({ kind }) => kind === 'ReplicaSet')!;
    expect(set).toMatchObject({ parents: ['apps/Deployment/default/web'], health: 'Healthy' });
    for (const pod of nodes.filter(({ kind }) => kind === 'Pod')) {
      expect(pod).toMatchObject({ parents: [set.key], health: 'Healthy', namespace: 'default' });
      expect(pod.facts).toContainEqual({ name: 'ready', value: '1/1' });
    }
    for (const node of nodes) expect(Date.parse(node.createdAt)).toBeGreaterThan(0);

    const pod = nodes.find(({ kind }) => kind === 'Pod')!;
    const view = await look('tree', object('', 'Pod', pod.name));
    expect(JSON.parse(view.text)).toMatchObject({
      managed: false,
      live: { kind: 'Pod', metadata: { name: pod.name } },
    });
    const value = EventsQuery.fromPartial({ object: object('apps', 'Deployment', 'web') });
    const events = await answered(test.hub.ask('tree', { $case: 'events', value }));
    const reasons = (JSON.parse(events.text) as { items: { reason: string }[] }).items.map((e) => e.reason);
    expect(reasons).toContain('ScalingReplicaSet');
    expect(reasons).toContain('Scheduled');
  });

  it('are no way to look at what is not theirs', async () => {
    await joined();
    await test.cluster.kube.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'foreign', namespace: 'default' },
      data: { a: '1' },
    });
    await test.hub.assign({ name: 'mine', objects: [configMap('own')] });
    await settled('mine');
    const view = await look('mine', object('', 'ConfigMap', 'foreign'));
    expect(view.end).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('does not belong'),
    });
    expect(view.text).toBe('');
    const deleted = await act('mine', object('', 'ConfigMap', 'foreign'), 'delete');
    expect(deleted).toMatchObject({ outcome: REFUSED });
    expect(await find('v1/ConfigMap', 'foreign')).toBeDefined();
    const none = await look('mine', object('', 'ConfigMap', 'nothing'));
    expect(none.end).toMatchObject({ code: 'not-found' });
    expect((await look('other', object('', 'ConfigMap', 'own'))).end).toMatchObject({ code: 'not-found' });
  });

  it('show no value of a Secret, in manifests, differences and messages', async () => {
    await joined();
    const objects = [secret('key', 'hunter2-secret'), configMap('copy', { leaked: 'hunter2-secret' })];
    await test.hub.assign({ name: 'sealed', objects, policy: { selfHeal: false } });
    await settled('sealed');
    await test.cluster.kube.patch('v1/Secret', 'default/key', {
      metadata: {
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret('key', 'hunter2-secret')),
        },
      },
      stringData: { password: 'swordfish-secret' },
    });
    const answers = await Promise.all([
      look('sealed', object('', 'Secret', 'key')),
      look('sealed', object('', 'ConfigMap', 'copy')),
      answered(test.hub.ask('sealed', { $case: 'tree', value: {} })),
    ]);
    const view = JSON.parse(answers[0].text) as { diff: { state: string; fields: { path: string }[] } };
    expect(view.diff).toMatchObject({ state: 'differs' });
    expect(view.diff.fields.map(({ path }) => path)).toContain('data.password');
    expect(JSON.parse(answers[1].text)).toMatchObject({ live: { data: { leaked: '••••••••' } } });
    for (const { text } of answers) {
      for (const planted of ['hunter2-secret', 'swordfish-secret']) {
        expect(text).not.toContain(planted);
        expect(text).not.toContain(Buffer.from(planted).toString('base64'));
      }
    }
  });

  it('are restarted, scaled and deleted by command', async () => {
    await joined();
    const { replicas: _replicas, ...spec } = deployment('free').spec;
    await test.hub.assign({
      name: 'acts',
      objects: [deployment('fixed'), { ...deployment('free'), spec }],
    });
    await settled('acts', 'Synced', 'Healthy');

    const restarted = await act('acts', object('apps', 'Deployment', 'fixed'), 'restart');
    expect(restarted).toMatchObject({ outcome: SUCCEEDED });
    const annotations = (
      (await find('apps/v1/Deployment', 'fixed')) as never as {
        spec: { template: { metadata: { annotations: Record<string, string> } } };
      }
    ).spec.template.metadata.annotations;
    expect(annotations['muster.dev/restarted-by']).toBe(restarted.id);
    expect(annotations['kubectl.kubernetes.io/restartedAt']).toMatch(/^20/);
    // It is nobody's drift.
    await settled('acts', 'Synced', 'Healthy');

    const scaled = await act('acts', object('apps', 'Deployment', 'free'), 'scale', { replicas: '3' });
    expect(scaled).toMatchObject({ outcome: SUCCEEDED });
    expect(await find('apps/v1/Deployment', 'free')).toMatchObject({ spec: { replicas: 3 } });
    const stated = await act('acts', object('apps', 'Deployment', 'fixed'), 'scale', { replicas: '3' });
    expect(stated).toMatchObject({
      outcome: REFUSED,
      message: expect.stringContaining('self-heal would put it back'),
    });
    expect(await find('apps/v1/Deployment', 'fixed')).toMatchObject({ spec: { replicas: 2 } });

    const pod = (await tree('acts')).find(({ kind, name }) => kind === 'Pod' && name.startsWith('free-'))!;
    expect(await act('acts', object('', 'Pod', pod.name, 'another-uid'), 'delete')).toMatchObject({
      outcome: REFUSED,
    });
    expect(await act('acts', object('', 'Pod', pod.name, pod.uid), 'delete')).toMatchObject({
      outcome: SUCCEEDED,
    });
    await gone('v1/Pod', pod.name);
    expect(await act('acts', object('', 'Pod', pod.name), 'delete')).toMatchObject({ outcome: FAILED });
    expect(await act('acts', object('apps', 'Deployment', 'free'), 'promote')).toMatchObject({
      outcome: FAILED,
    });
  });

  it('tell the logs of their Pods: followed, bounded, and ended when nobody waits any more', async () => {
    await joined();
    const write = (text: string) =>
      appendFile(test.cluster.podLog, `${new Date().toISOString()} stdout F ${text}\n`);
    await test.hub.assign({ name: 'logs', objects: [deployment('talks'), secret('pass', 'hunter2-secret')] });
    await settled('logs', 'Synced', 'Healthy');
    for (let i = 1; i <= 5; i++) await write(`line ${i}`);
    await write('the password is hunter2-secret');
    const pods = (await tree('logs')).filter(({ kind }) => kind === 'Pod');
    const ask = (value: Parameters<typeof LogsQuery.fromPartial>[0], more = {}) =>
      test.hub.ask('logs', { $case: 'logs', value: LogsQuery.fromPartial(value) }, more);
    const lines = ({ text }: TestAnswer) =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { pod: string; container: string; time: string; text: string });

    const one = await answered(ask({ object: object('', 'Pod', pods[0]!.name), tailLines: 3 }));
    expect(one.end, one.end?.message).toMatchObject({ code: '', cut: '' });
    expect(lines(one)).toMatchObject([
      { pod: pods[0]!.name, container: 'main', text: 'line 4' },
      { text: 'line 5' },
      { text: 'the password is ••••••••' },
    ]);
    expect(Date.parse(lines(one)[0]!.time)).toBeGreaterThan(0);

    const all = await answered(ask({ object: object('apps', 'Deployment', 'talks'), tailLines: 1 }));
    expect(new Set(lines(all).map(({ pod }) => pod))).toEqual(new Set(pods.map(({ name }) => name)));

    const cut = await answered(ask({ tailLines: 6 }, { maxBytes: 300n }));
    expect(cut.end).toMatchObject({ code: '', cut: expect.stringContaining('is longer than') });
    const none = await answered(ask({ object: object('', 'Pod', pods[0]!.name), container: 'side' }));
    expect(none.end).toMatchObject({ code: 'not-found', hint: 'it has main' });

    const followed = ask({ object: object('', 'Pod', pods[0]!.name), follow: true, tailLines: 1 });
    await eventually(() => followed.text.includes('the password'), { what: 'the last line' });
    await write('a new line');
    await eventually(() => followed.text.includes('a new line'), { what: 'the line that came later' });
    expect(followed.ended).toBe(false);
    test.hub.cancelAsk(followed.id);
    await answered(followed);

    const whole = ask({ object: object('apps', 'Deployment', 'talks'), follow: true, tailLines: 1 });
    await eventually(() => whole.text.includes('a new line'), { what: 'the first lines of all Pods' });
    await test.cluster.kube.delete('v1/Pod', `default/${pods[1]!.name}`);
    await eventually(
      () => lines(whole).some(({ pod, text }) => pod === pods[1]!.name && text === 'is gone'),
      { what: 'word that the Pod is gone' },
    );
    const known = new Set(pods.map(({ name }) => name));
    await eventually(() => lines(whole).some(({ pod, time }) => !known.has(pod) && time !== ''), {
      what: 'lines of the Pod that took its place',
    });
    expect(whole.ended).toBe(false);
    test.hub.cancelAsk(whole.id);
    await answered(whole);

    const left = ask({ follow: true });
    await eventually(() => left.text !== '', { what: 'the first lines' });
    left.close();
    const over = ask({ follow: true, tailLines: 1 }, { maxSeconds: 1 });
    await answered(over);
    expect(over.end).toMatchObject({ code: '', cut: '1 s are over' });
    // Nothing is left running for those who went away: the agent answers sixteen at once, and no more.
    const many = Array.from({ length: 17 }, () =>
      ask({ object: object('', 'Pod', pods[0]!.name), follow: true }),
    );
    await eventually(() => many.filter(({ ended }) => ended).length === 1, { what: 'one too many' });
    expect(many.find(({ ended }) => ended)!.end).toMatchObject({ code: 'limit' });
    for (const { id } of many) test.hub.cancelAsk(id);
    await Promise.all(many.map(answered));
  });
});

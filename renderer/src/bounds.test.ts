import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadRenderer } from './load.ts';
import { RendererPool } from './pool.ts';
import { filesOf, type FileSource } from './request.ts';
import { configMap, dataOf, TestRenderer } from './testing.ts';

let renderer: TestRenderer;
beforeAll(async () => {
  renderer = await TestRenderer.start({ size: 2, timeoutMs: 5000, memoryMb: 192 });
}, 300_000);
afterAll(() => renderer.pool.close());

const endless =
  '{{ define "f" }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}{{ range until 100000 }}{{ include "f" . }}{{ end }}';
const good = { 'chart/templates/c.yaml': configMap('a: b') };
const works = async () => expect(dataOf(await renderer.helm(good))).toEqual({ a: 'b' });

it('a template that never ends is stopped in its time, and the pool goes on', async () => {
  const started = performance.now();
  const slow = renderer.helm({ 'chart/templates/c.yaml': endless });
  await works();
  await expect(slow).rejects.toMatchObject({
    code: 'limit',
    message: 'rendering took longer than 5 s and was stopped',
  });
  expect(performance.now() - started).toBeLessThan(10_000);
  await works();
});

it('a template that takes all memory is stopped, and the pool goes on', async () => {
  const bomb = '{{ $s := "0123456789abcdef" }}{{ range until 40 }}{{ $s = print $s $s }}{{ end }}{{ $s }}';
  await expect(renderer.helm({ 'chart/templates/c.yaml': bomb })).rejects.toMatchObject({ code: 'limit' });
  await works();
});

it('recursion without end is stopped', async () => {
  const recursion = '{{ define "f" }}{{ include "f" . }}{{ end }}{{ include "f" . }}';
  await expect(renderer.helm({ 'chart/templates/c.yaml': recursion })).rejects.toThrow(/nested/);
  await expect(
    renderer.helm({
      'chart/templates/c.yaml': '{{ define "g" }}{{ template "g" . }}{{ end }}{{ template "g" . }}',
    }),
  ).rejects.toMatchObject({ code: expect.stringMatching(/limit|invalid/) });
  await works();
});

it('a YAML bomb in values, and one in a manifest, are refused', async () => {
  let bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 10; i++)
    bomb += `a${i}: &a${i} [${Array(9)
      .fill(`*a${i - 1}`)
      .join(',')}]\n`;
  await expect(renderer.helm(good, { values: bomb })).rejects.toThrow(/excessive aliasing|memory|longer/);
  await expect(renderer.helm({ 'chart/templates/c.yaml': bomb })).rejects.toThrow(
    /excessive aliasing|memory|longer/,
  );
  await expect(
    renderer.kustomize({
      'app/kustomization.yaml': 'resources: [a.yaml]',
      'app/a.yaml': `kind: A\nmetadata: {name: a}\n${bomb}`,
    }),
  ).rejects.toThrow(/aliasing|memory|longer/);
  await works();
});

it('too much to read, too many files and too much output are refused', async () => {
  const render = (
    bounds: object,
    files: FileSource = filesOf({
      ...good,
      'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n',
      'chart/big.bin': 'x'.repeat(5000),
    }),
  ) =>
    renderer.pool.render({
      source: { kind: 'helm', path: 'chart', releaseName: 'web', namespace: 'shop' },
      files,
      clock: 0,
      seed: new Uint8Array(32),
      bounds,
    });
  await expect(render({ fileBytes: 1000 })).rejects.toMatchObject({ code: 'limit', where: 'chart/big.bin' });
  await expect(render({ totalBytes: 5000 })).rejects.toMatchObject({ code: 'limit' });
  await expect(render({ fileCount: 3 })).rejects.toMatchObject({ code: 'limit' });
  await expect(render({ outputBytes: 50 })).rejects.toMatchObject({ code: 'limit' });
  expect((await render({})).objects).toHaveLength(1);
});

it('a source that fails makes the render fail, and no other', async () => {
  const failing: FileSource = {
    list: async () => Promise.reject(new Error('the mirror is gone')),
    read: async () => undefined,
  };
  await expect(
    renderer.pool.render({
      source: { kind: 'kustomize', path: 'a' },
      files: failing,
      clock: 0,
      seed: new Uint8Array(32),
    }),
  ).rejects.toMatchObject({ code: 'unavailable', message: 'the mirror is gone' });
  await works();
});

it('an aborted render stops, running or waiting', async () => {
  const controller = new AbortController();
  const request = (template: string) => ({
    source: { kind: 'helm' as const, path: 'chart', releaseName: 'web', namespace: 'shop' },
    files: filesOf({
      'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n',
      'chart/templates/c.yaml': template,
    }),
    clock: 0,
    seed: new Uint8Array(32),
  });
  const renders = [1, 2, 3, 4].map(() => renderer.pool.render(request(endless), controller.signal));
  const outcomes = Promise.allSettled(renders);
  controller.abort(new Error('no longer wanted'));
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'no longer wanted' } });
  await works();
});

it('a queue that is full refuses more', async () => {
  const pool = new RendererPool(await loadRenderer(), { queueLimit: 1 });
  const small = new TestRenderer(pool);
  await pool.ready();
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => small.helm(good)));
  expect(outcomes.map((o) => o.status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  await pool.close();
  await expect(small.helm(good)).rejects.toMatchObject({ code: 'unavailable' });
});

it('a thousand renders do not grow the memory', { timeout: 120_000 }, async () => {
  const render = (i: number) =>
    renderer.helm(
      { 'chart/templates/c.yaml': configMap(`a: "{{ randAlphaNum 10 }} ${i}"`) },
      { values: `x: ${'y'.repeat(1000)}` },
    );
  for (let i = 0; i < 100; i++) await render(i);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 1000; i++) await render(i);
  expect(process.memoryUsage().rss - before).toBeLessThan(60 * 2 ** 20);
});

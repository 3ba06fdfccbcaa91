import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TemplateEngine } from './gotmpl.ts';
import { type LoadedRenderer, loadRenderer } from './load.ts';

/** Building the renderer takes minutes where it is not in the cache yet. */
const BUILD_MS = 600_000;

describe('the template engine', () => {
  let engine: TemplateEngine;
  let compiled: LoadedRenderer;

  beforeAll(async () => {
    compiled = await loadRenderer({ memoryMb: 512, wasmPath: process.env['MUSTER_RENDERER_WASM'] });
    engine = new TemplateEngine(compiled, { stallMs: 1500, clock: () => Date.UTC(2031, 0, 2) });
    await engine.yaml.toJson(['{}']);
  }, BUILD_MS);
  afterAll(() => engine.close());

  const render = (texts: string[], signal?: AbortSignal) =>
    engine.goTemplate.render({ texts, paramSets: [{ name: 'a' }], options: [] }, signal);
  const stillWorks = async () => expect((await render(['{{ .name }}'])).rows).toEqual([['a']]);

  it('stops a text that never ends and says which one it was', async () => {
    const endless = '{{ range until 3000000 }}{{ range until 3000000 }}{{ end }}{{ end }}';
    const started = performance.now();
    const { failure } = await render(['{{ .name }}', endless]);
    expect(failure).toEqual({ error: 'rendering took longer than 1.5 s and was stopped', text: 1 });
    expect(performance.now() - started).toBeLessThan(10_000);
    await stillWorks();
  });

  it('stops a text that needs too much memory and says which one it was', async () => {
    const explodes = '{{ $s := "xxxxxxxx" }}{{ range until 40 }}{{ $s = print $s $s }}{{ end }}{{ len $s }}';
    const { failure } = await render(['{{ .name }}', '{{ .name }}', explodes]);
    expect(failure?.text).toBe(2);
    expect(failure?.error).toMatch(/256 MiB of memory|took longer/);
    await stillWorks();
  });

  it('stops a call of many sets, none of which takes long', async () => {
    const slow = new TemplateEngine(compiled, { callMs: 300 });
    const paramSets = Array.from({ length: 5000 }, () => ({}));
    const texts = ['{{ .name }}', '{{ range until 200000 }}{{ end }}'];
    const { rows, failure } = await slow.goTemplate.render({ texts, paramSets, options: [] });
    expect(failure).toMatchObject({ error: expect.stringContaining('this for many took longer than 0.3 s') });
    expect(rows).toEqual([]);
    await slow.close();
  });

  it('answers in several parts what is too large for one', async () => {
    const paramSets = Array.from({ length: 20 }, (_, i) => ({ i: `${i}`, text: 'x'.repeat(1 << 20) }));
    const parts: number[] = [];
    for (let done = 0; done < paramSets.length; done += parts.at(-1)!) {
      const { rows } = await engine.goTemplate.render({
        texts: ['{{ .i }}{{ .text }}'],
        paramSets: paramSets.slice(done),
        options: [],
      });
      parts.push(rows.length);
      expect(rows[0]).toEqual([`${done}${'x'.repeat(1 << 20)}`]);
    }
    expect(parts.length).toBeGreaterThan(2);
  });

  it('refuses a field that grows without bound', async () => {
    const { failure } = await render(['{{ range until 100000 }}{{ repeat 100 "x" }}{{ end }}']);
    expect(failure?.error).toContain('the field is larger than 4 MiB');
  });

  it('refuses a template that includes itself for ever', async () => {
    const { failure } = await render(['{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}']);
    expect(failure).toMatchObject({ text: 0 });
    await stillWorks();
  });

  it('ends a call whose signal is aborted', async () => {
    const controller = new AbortController();
    const endless = render(
      ['{{ range until 3000000 }}{{ range until 3000000 }}{{ end }}{{ end }}'],
      controller.signal,
    );
    setImmediate(() => controller.abort());
    await expect(endless).rejects.toThrow(/abort/i);
    await stillWorks();
  });

  it('reads YAML as Kubernetes does', async () => {
    const answers = await engine.yaml.toJson(['a: yes\nm: 0644\n', 'a: [', 'a: 1\n---\na: 2\n']);
    expect(answers).toEqual([
      '{"a":true,"m":420}',
      { error: expect.stringContaining('yaml:'), text: 1 },
      '{"a":1}',
    ]);
  });

  it('refuses YAML whose aliases multiply', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(',')}]`,
    );
    const [answer] = await engine.yaml.toJson([`l0: &l0 lol\n${levels.join('\n')}\n`]);
    expect(answer).toMatchObject({ text: 0 });
    await stillWorks();
  });

  it('shows templates the clock that it is given', async () => {
    expect((await render(['{{ now | date "2006-01-02" }}'])).rows).toEqual([['2031-01-02']]);
  });
});

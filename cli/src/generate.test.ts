import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadRenderer, TemplateEngine } from '@muster/renderer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engines, generate, type GenerateOptions } from './generate.ts';
import type { Context } from './host.ts';
import { main } from './program.ts';
import { recordingTerminal } from './testing/terminal.ts';

const BUILD_MS = 600_000;
const folder = mkdtempSync(join(tmpdir(), 'muster-generate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function muster(...args: string[]) {
  const terminal = recordingTerminal();
  const code = await main(['appset', 'generate', ...args], {
    terminal,
    environment: { configFile: join(folder, 'config.json'), mayColour: false },
    signal: new AbortController().signal,
  });
  return { code, out: terminal.output, notes: terminal.notes };
}

const set = (name: string, elements: unknown[], project = 'default', spec: Record<string, unknown> = {}) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name },
  spec: {
    generators: [{ list: { elements } }],
    template: {
      metadata: { name: `${name}-{{name}}` },
      spec: { project, source: { repoURL: 'https://git.test/x' }, destination: { name: '{{name}}' } },
    },
    ...spec,
  },
});
const project = (name: string) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name },
});
const namesIn = (out: string) =>
  (JSON.parse(out) as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

describe('muster appset generate', () => {
  it('reads several files and prints what all of them make, sorted by name', async () => {
    const b = file('b.json', set('b', [{ name: 'y' }, { name: 'x' }]));
    const a = file('a.json', set('a', [{ name: 'z' }]));
    const { code, out } = await muster('-f', b, '-f', a, '-o', 'json');
    expect(code).toBe(0);
    expect(namesIn(out)).toEqual(['a-z', 'b-x', 'b-y']);
  });

  it('takes projects by name, from a file, and as documents; shows what it warns of all the same', async () => {
    const team = set('p', [{ name: 'x' }], 'team');
    const alone = file('team.json', team);
    const missing = 'Application /p-x: application references project team which does not exist';
    expect((await muster('-f', alone)).notes).toBe('');
    expect((await muster('-f', alone, '--projects', 'one,team')).notes).toBe('');
    expect((await muster('-f', alone, '--projects', file('names.yaml', '- team\n'))).notes).toBe('');
    const other = await muster('-f', alone, '--projects', 'one, two', '-o', 'json');
    expect(other).toMatchObject({ code: 0, notes: expect.stringContaining(missing) });
    expect(namesIn(other.out)).toEqual(['p-x']);
    const documents = (name: string) =>
      file(`${name}.yaml`, `${JSON.stringify(team)}\n---\n${JSON.stringify(project(name))}\n`);
    expect((await muster('-f', documents('team'))).notes).toBe('');
    expect((await muster('-f', documents('else'))).notes).toContain(missing);
    expect(await muster('-f', alone, '--projects', 'gone.yaml')).toMatchObject({
      code: 1,
      notes: 'error: gone.yaml: no such file\n',
    });
  });

  it('fails with the reason of the reference, the file and the field', async () => {
    const bad = file('bad.json', set('bad', [{ name: 5 }]));
    const { code, out, notes } = await muster('-f', bad, '-o', 'json');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(notes).toContain(
      `${bad}:1: spec.generators[0].list.elements[0].name: ApplicationGenerationFromParamsError: `,
    );
  });

  it('refuses clusters whose fields are no strings, naming the entry', async () => {
    const clusters = file('clusters.yaml', '- {name: a, server: b, project: 5}\n');
    expect(
      await muster('-f', file('c.json', set('c', [{ name: 'x' }])), '--clusters', clusters),
    ).toMatchObject({
      code: 1,
      notes: expect.stringContaining('[0]: project must be a string'),
    });
  });
});

interface Case {
  applicationSet: unknown;
  clusters?: unknown[];
  gitRepos?: Record<string, { dirs?: string[]; files?: Record<string, string> }>;
  projects?: string[];
  options?: { validateDestinations?: true };
}
interface Expected {
  error?: string;
  reason?: string;
  applications: { name: string }[];
  validationErrors?: Record<string, string>;
}

/** Writes a case as the files that a user would have, and answers the options for them. */
function written(name: string, given: Case): GenerateOptions {
  const repo = Object.entries(given.gitRepos ?? {}).map(([url, { dirs = [], files = {} }], i) => {
    const root = join(folder, 'cases', name, `repo${i}`);
    for (const path of ['', ...dirs]) mkdirSync(join(root, path), { recursive: true });
    for (const [path, text] of Object.entries(files)) file(join('cases', name, `repo${i}`, path), text);
    return `${url}=${root}`;
  });
  return {
    filename: [file(join('cases', name, 'set.json'), given.applicationSet)],
    repo,
    ...(given.clusters && { clusters: file(join('cases', name, 'clusters.json'), given.clusters) }),
    ...(given.projects && { projects: given.projects.join(',') }),
    ...(given.options?.validateDestinations && { validateDestinations: true as const }),
  };
}

const conformance = join(import.meta.dirname, '../../../shared/conformance/applicationset');
describe.skipIf(!existsSync(conformance))(`Argo CD's own answers, from files (${conformance})`, () => {
  let engine: TemplateEngine;
  beforeAll(async () => {
    engine = new TemplateEngine(
      await loadRenderer({ memoryMb: 256, wasmPath: process.env['MUSTER_RENDERER_WASM'] }),
    );
    await engine.yaml.toJson(['{}']);
  }, BUILD_MS);
  afterAll(() => engine?.close());

  const read = (part: string, name: string) =>
    JSON.parse(readFileSync(join(conformance, part, name), 'utf8')) as never;
  const run = async (options: GenerateOptions) => {
    const terminal = recordingTerminal();
    const engines: Engines = {
      engines: { goTemplate: engine.goTemplate, yaml: engine.yaml },
      close: () => Promise.resolve(),
    };
    const context = { terminal, signal: new AbortController().signal } as unknown as Context;
    const applications = await generate(context, options, engines);
    return { applications, notes: terminal.notes };
  };

  it.each(existsSync(conformance) ? readdirSync(join(conformance, 'cases')).sort() : [])(
    '%s',
    async (name) => {
      const expected: Expected = read('expected', name);
      const answer = run(written(name, read('cases', name)));
      if (expected.error !== undefined) {
        await expect(answer).rejects.toThrow(`${expected.reason}: `);
        return;
      }
      const { applications, notes } = await answer;
      const shown = JSON.parse(JSON.stringify(applications)) as typeof applications;
      const got = shown.map(({ metadata: { name, labels, annotations, finalizers }, operation, spec }) =>
        defined({ name, labels, annotations, finalizers, operation, spec }),
      );
      expect(got.map((each) => each['name'])).toEqual(expected.applications.map((each) => each.name));
      // Applications of one name have no order.
      expect(got).toEqual(expect.arrayContaining(expected.applications));
      expect(expected.applications).toEqual(expect.arrayContaining(got));
      const warnings = Object.entries(expected.validationErrors ?? {});
      for (const [key, text] of warnings) expect(notes).toContain(`Application ${key}: ${text}`);
      expect(notes.split('\n').filter(Boolean)).toHaveLength(warnings.length);
    },
  );
});

function defined(value: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}

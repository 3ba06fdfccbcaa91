import { describe, expect, it } from 'vitest';
import { realEngines } from './testing/engines.ts';
import {
  type ApplicationSet,
  type ApplicationSetSpec,
  expand,
  type ExpandInput,
  ExpansionError,
} from './index.ts';

const engines = realEngines({ stallMs: 1000 });

const template = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: {
    project: 'default',
    source: { repoURL: 'https://git.test/a.git' },
    destination: { name: 'c' },
    ...spec,
  },
});
const setOf = (spec: Partial<ApplicationSetSpec>): ApplicationSet => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'fleet', namespace: 'argocd' },
  spec: { generators: [], template: template('{{name}}'), ...spec },
});
const run = (spec: Partial<ApplicationSetSpec>, rest: Partial<ExpandInput> = {}, signal?: AbortSignal) =>
  expand({ applicationSet: setOf(spec), ...rest }, engines, signal);
const names = async (...args: Parameters<typeof run>) =>
  (await run(...args)).applications.map(({ metadata }) => metadata.name).sort();
const failure = async (...args: Parameters<typeof run>) => {
  const error = await run(...args).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ExpansionError);
  return error as ExpansionError;
};

describe('an expansion', () => {
  it('names the generator that failed', async () => {
    const error = await failure({ generators: [{ list: { elements: [{ name: 'a' }, { name: 1 }] } }] });
    expect(error.reason).toBe('ApplicationGenerationFromParamsError');
    expect(error.where).toBe('spec.generators[0].list.elements[1].name');
  });

  it('names the field that failed, in a map and its keys too', async () => {
    const go = { goTemplate: true, generators: [{ list: { elements: [{ name: 'a' }] } }] };
    const at = async (spec: object) => (await failure({ ...go, template: template('a', spec) })).where;
    expect(await at({ project: '{{ .x' })).toBe('spec.template.spec.project');
    expect(
      await at({ source: { repoURL: 'r', helm: { parameters: [{ name: 'n', value: '{{ fail "x" }}' }] } } }),
    ).toBe('spec.template.spec.source.helm.parameters[0].value');
    expect(await at({ source: { repoURL: 'r', kustomize: { commonLabels: { '{{ nope }}': 'x' } } } })).toBe(
      'spec.template.spec.source.kustomize.commonLabels (a key)',
    );
    expect((await failure({ ...go, template: template('a'), templatePatch: '{{ nope }}' })).where).toBe(
      'spec.templatePatch',
    );
  });

  it('stops a template that never ends and names its field', async () => {
    const endless = '{{ range until 3000000 }}{{ range until 3000000 }}{{ end }}{{ end }}';
    const error = await failure({
      goTemplate: true,
      generators: [{ list: { elements: [{ name: 'a' }] } }],
      template: template('a', { project: endless }),
    });
    expect(error.where).toBe('spec.template.spec.project');
    expect(error.message).toContain('took longer than');
  });

  it('adds the local cluster only where that is wanted', async () => {
    const generators = [{ clusters: {} }];
    expect(await names({ generators })).toEqual(['in-cluster']);
    expect(await names({ generators }, { options: { implicitLocalCluster: false } })).toEqual([]);
  });

  it('takes the template raw for a parameter set without any key, and still patches it', async () => {
    const { applications } = await run({
      generators: [{ list: { elements: [{}] } }],
      templatePatch: 'metadata: {labels: {a: b}}',
    });
    expect(applications[0]!.metadata).toEqual({ name: '{{name}}', namespace: 'argocd', labels: { a: 'b' } });
  });

  it('leaves the ApplicationSet that it is given as it was', async () => {
    const applicationSet = setOf({
      generators: [
        {
          matrix: {
            generators: [
              { list: { elements: [{ name: 'a' }] } },
              { clusters: { values: { v: '{{name}}' } } },
            ],
          },
        },
      ],
      template: template('{{name}}', { syncPolicy: { automated: { prune: true } } }),
      templatePatch: 'spec: {syncPolicy: {automated: {prune: false}}}',
    });
    const before = structuredClone(applicationSet);
    await expand({ applicationSet, clusters: [] }, engines).catch(() => {});
    expect(applicationSet).toEqual(before);
  });

  it('asks outside services through their port and adds the values of the generator', async () => {
    const asked: unknown[] = [];
    const external = {
      parameters: async (...args: unknown[]) => {
        asked.push(args[0]);
        return [{ number: '7', branch: 'main' }];
      },
    };
    const generators = [{ pullRequest: { github: {}, values: { name: 'pr-{{number}}' } } }];
    expect(await names({ generators, template: template('{{values.name}}') }, { external })).toEqual([
      'pr-7',
    ]);
    expect(asked).toEqual(['pullRequest']);
    expect((await failure({ generators })).where).toBe('spec.generators[0].pullRequest');
  });

  it('keeps the failure of a repository, with its code', async () => {
    const repos = { tree: () => Promise.reject(new Error('authentication required')) };
    const git = { repoURL: 'https://git.test/a.git', directories: [{ path: '*' }] };
    const error = await failure({ generators: [{ git }] }, { repos });
    expect(error.message).toContain('authentication required');
    expect(error.reason).toBe('ApplicationGenerationFromParamsError');
  });

  it('globs files by names only where the new globbing is on', async () => {
    const files: Record<string, string> = {
      'a.yaml': 'name: a',
      'd/b.yaml': 'name: b',
      'd/e/c.yaml': 'name: c',
    };
    const repos = { tree: () => ({ files: Object.keys(files), read: (path: string) => files[path]! }) };
    const of = (path: string, newGitFileGlobbing: boolean) =>
      names(
        { generators: [{ git: { repoURL: 'r', files: [{ path }] } }] },
        { repos, options: { newGitFileGlobbing } },
      );
    expect(await of('*.yaml', false)).toEqual(['a', 'b', 'c']);
    expect(await of('*.yaml', true)).toEqual(['a']);
    expect(await of('**/*.yaml', true)).toEqual(['a', 'b', 'c']);
    expect(await of('{a,d/b}.yaml', true)).toEqual(['a', 'b']);
    await expect(of('d/*', true)).rejects.toThrow('is a directory');
  });

  it('ends when its signal is aborted', async () => {
    const clusters = Array.from({ length: 5000 }, (_, i) => ({ name: `c${i}`, server: `https://c${i}` }));
    const signal = AbortSignal.abort();
    await expect(run({ generators: [{ clusters: {} }] }, { clusters }, signal)).rejects.toThrow(/abort/i);
  });

  it('fills many applications from large sets without mixing them up', async () => {
    const clusters = Array.from({ length: 4500 }, (_, i) => ({ name: `c${i}`, server: `https://c${i}` }));
    const { applications } = await run(
      {
        goTemplate: true,
        generators: [{ clusters: {} }],
        template: template('{{.name}}', { destination: { server: '{{.server}}' } }),
      },
      { clusters, options: { implicitLocalCluster: false } },
    );
    expect(applications).toHaveLength(4500);
    for (const { metadata, spec } of applications)
      expect(spec.destination.server).toBe(`https://${metadata.name}`);
  });
});

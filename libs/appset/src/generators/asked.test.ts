import { describe, expect, test } from 'vitest';
import { expand } from '../expand.ts';
import type { DecisionResource, PluginRequest } from '../ports.ts';
import { realEngines } from '../testing/engines.ts';
import type { ApplicationSet, Generator } from '../types.ts';

const engines = realEngines();
const CLUSTERS = [
  { name: 'prod-1', server: 'https://prod-1' },
  { name: 'prod-2', server: 'https://prod-2' },
];

const setOf = (
  generator: Generator,
  annotations: Record<string, string>,
  goTemplate = true,
): ApplicationSet => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: {
    goTemplate,
    generators: [generator],
    template: {
      metadata: { name: goTemplate ? '{{ .name }}' : '{{name}}', annotations },
      spec: { project: 'default', source: { repoURL: 'x', path: 'a' }, destination: { name: 'prod-1' } },
    },
  },
});

describe('the plugin generator', () => {
  const asked: { name: string; request: PluginRequest }[] = [];
  const answer = [{ name: 'a', nested: { list: [1, 2.5], on: true }, big: 1234567, none: null, empty: {} }];
  const plugins = {
    call: (name: string, request: PluginRequest) => {
      asked.push({ name, request });
      return Promise.resolve(answer as never);
    },
  };
  const plugin = (more: object = {}) => ({ plugin: { configMapRef: { name: 'my-plugin' }, ...more } });
  const annotationsOf = async (
    generator: Generator,
    annotations: Record<string, string>,
    goTemplate = true,
  ) => {
    const { applications } = await expand(
      { applicationSet: setOf(generator, annotations, goTemplate), clusters: CLUSTERS, plugins },
      engines,
    );
    return applications.map(({ metadata }) => metadata.annotations);
  };

  test('is asked with the set’s name and its own parameters only', async () => {
    asked.length = 0;
    const input = { parameters: { key: 'value', deep: { list: [1] } } };
    await annotationsOf(plugin({ input, values: { x: 'y' } }), {});
    await annotationsOf(plugin(), {});
    expect(asked).toEqual([
      { name: 'my-plugin', request: { applicationSetName: 'shop', input } },
      { name: 'my-plugin', request: { applicationSetName: 'shop', input: {} } },
    ]);
  });

  test('gives Go templates what it answered as it is; what it was given prints as its bytes', async () => {
    const generator = plugin({
      input: { parameters: { key: 'value' } },
      values: { from: '{{ .name }}-{{ .big }}' },
    });
    expect(
      await annotationsOf(generator, {
        nested: '{{ index .nested.list 1 }} {{ .nested.on }}',
        given: '{{ toJson .generator.input.parameters.key }}',
        raw: '{{ .generator.input.parameters.key }}',
        values: '{{ .values.from }}',
      }),
    ).toEqual([
      { nested: '2.5 true', given: '"value"', raw: '{[34 118 97 108 117 101 34]}', values: 'a-1.234567e+06' },
    ]);
  });

  test('gives other templates flat texts', async () => {
    const generator = plugin({ input: { parameters: { key: 'v' } }, values: { from: '{{name}}!' } });
    const annotations = {
      nested: '{{nested.list.1}} {{nested.on}} {{big}} {{none}}',
      unknown: '{{generator.input.parameters.key}}',
      values: '{{values.from}}',
    };
    expect(await annotationsOf(generator, annotations, false)).toEqual([
      { nested: '2.5 true 1.234567e+06 <nil>', unknown: '{{generator.input.parameters.key}}', values: 'a!' },
    ]);
  });

  test('can be filled in by the first child of a matrix', async () => {
    asked.length = 0;
    const second = plugin({ input: { parameters: { of: '{{ .server }}' } } });
    await annotationsOf(
      { matrix: { generators: [{ clusters: { selector: { matchLabels: {} } } }, second] } },
      {},
    );
    expect(asked.map(({ request }) => request.input.parameters?.['of'])).toContain('https://prod-2');
  });

  test('that cannot be asked fails the expansion, with the field', async () => {
    const failing = { call: () => Promise.reject(new Error('no answer')) };
    await expect(
      expand({ applicationSet: setOf(plugin(), {}), plugins: failing }, engines),
    ).rejects.toMatchObject({
      reason: 'ApplicationGenerationFromParamsError',
      message: 'error listing params: no answer',
      where: 'spec.generators[0].plugin.configMapRef.name',
    });
    await expect(expand({ applicationSet: setOf(plugin(), {}) }, engines)).rejects.toThrow('is needed');
    await expect(expand({ applicationSet: setOf({ plugin: {} }, {}), plugins }, engines)).rejects.toThrow(
      'a plugin is named here',
    );
  });
});

describe('the clusterDecisionResource generator', () => {
  const data: Record<string, string> = {
    apiVersion: 'mallard.io/v1beta1',
    kind: 'ducks',
    statusListKey: 'decisions',
    matchKey: 'clusterName',
  };
  const duck = (name: string, status?: unknown, labels: Record<string, string> = {}): DecisionResource => ({
    metadata: { name, labels },
    status,
  });
  const quak = duck(
    'quak',
    {
      decisions: [
        { clusterName: 'prod-2', weight: 1234567 },
        { clusterName: 'gone' },
        { other: 1 },
        { clusterName: '' },
      ],
    },
    { duck: 'spotted' },
  );
  const run = async (
    generator: Record<string, unknown>,
    ducks: DecisionResource[] = [quak],
    {
      config = data,
      goTemplate = true,
    }: { config?: Record<string, string> | undefined; goTemplate?: boolean } = {},
  ) => {
    const resources = {
      configMap: (name: string) => Promise.resolve(name === 'ducks' ? config : undefined),
      list: (apiVersion: string, resource: string) =>
        Promise.resolve(apiVersion === 'mallard.io/v1beta1' && resource === 'ducks' ? ducks : []),
    };
    const applicationSet = setOf(
      { clusterDecisionResource: { configMapRef: 'ducks', ...generator } },
      goTemplate
        ? { all: '{{ .server }} {{ .clusterName }} {{ .weight }} {{ dig "x" "-" (default dict .values) }}' }
        : { all: '{{server}} {{clusterName}} {{weight}} {{values.x}}' },
      goTemplate,
    );
    const { applications } = await expand({ applicationSet, clusters: CLUSTERS, resources }, engines);
    return applications.map(({ metadata }) => `${metadata.name}: ${metadata.annotations?.['all']}`);
  };

  test('gives name and server of each cluster that is decided on and known, and the decision’s fields as text', async () => {
    expect(await run({ name: 'quak' }, [quak], { goTemplate: false })).toEqual([
      'prod-2: https://prod-2 prod-2 1.234567e+06 {{values.x}}',
    ]);
  });

  test('`values` are taken as they are written', async () => {
    const values = { x: '{{name}}' };
    expect(await run({ name: 'quak', values }, [quak], { goTemplate: false })).toEqual([
      'prod-2: https://prod-2 prod-2 1.234567e+06 {{name}}',
    ]);
  });

  test('resources are taken by name or by label, all of their decisions, in the order of their names', async () => {
    const other = duck(
      'other',
      { decisions: [{ clusterName: 'prod-1', weight: 2 }] },
      { duck: 'canvasback' },
    );
    const both = [other, quak];
    const names = async (generator: object) =>
      (await run(generator as never, both, { goTemplate: false })).map((one) => one.split(':')[0]);
    expect(await names({ labelSelector: { matchLabels: { duck: 'spotted' } } })).toEqual(['prod-2']);
    const matchExpressions = [{ key: 'duck', operator: 'In', values: ['spotted', 'canvasback'] }];
    expect(await names({ labelSelector: { matchExpressions } })).toEqual(['prod-1', 'prod-2']);
    await expect(names({ name: 'none' })).rejects.toThrow('no clusterDecisionResources found');
  });

  test.each([
    [{}, 'a problem with the definition'],
    [{ name: 'quak', labelSelector: { matchLabels: { a: 'b' } } }, 'a problem with the definition'],
    [{ labelSelector: { matchLabels: {} } }, 'says nothing'],
    [{ labelSelector: { matchLabels: { 'a b': 'c' } } }, 'failed to get dynamic resources'],
    [{ name: 'quak', configMapRef: 'none' }, 'configmaps "none" not found'],
  ])('%j is an error', async (generator, message) => {
    await expect(run(generator)).rejects.toThrow(message);
  });

  test('a ConfigMap without a kind is an error, one without a match key decides nothing', async () => {
    const wrongs: Record<string, string>[] = [{ kind: '' }, { apiVersion: 'v1' }, { apiVersion: '/v1' }];
    for (const wrong of wrongs)
      await expect(run({ name: 'quak' }, [quak], { config: { ...data, ...wrong } })).rejects.toThrow(
        'there is a problem with the apiVersion, kind',
      );
    expect(await run({ name: 'quak' }, [quak], { config: { ...data, matchKey: '' } })).toEqual([]);
  });

  test('no status is no decision, a status of another shape is an error', async () => {
    for (const status of [undefined, null, {}])
      expect(await run({ name: 'a' }, [duck('a', status)])).toEqual([]);
    for (const status of [{ clusters: [] }, { decisions: {} }, { decisions: ['prod-1'] }, 'x'])
      await expect(run({ name: 'a' }, [duck('a', status)])).rejects.toThrow(/is not a (list|map)|not a map/);
  });

  test('the list stands under `clusters` unless the ConfigMap says otherwise', async () => {
    const { statusListKey: _, ...config } = data;
    const found = duck('a', { clusters: [{ clusterName: 'prod-1', weight: 'x' }] });
    expect(await run({ name: 'a' }, [found], { config, goTemplate: false })).toHaveLength(1);
  });
});

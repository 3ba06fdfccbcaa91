import { describe, expect, test } from 'vitest';
import { checkApplication, removalOf } from './application-manifest.ts';

const document = (spec: Record<string, unknown> = {}, over: Record<string, unknown> = {}) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web' },
  spec: {
    source: { repoURL: 'https://example.com/a.git', path: 'a' },
    destination: { name: 'dev', namespace: 'shop' },
    ...spec,
  },
  ...over,
});
const source = (fields: Record<string, unknown>) => ({
  source: { repoURL: 'https://example.com/a.git', path: 'a', ...fields },
});

describe('Application documents', () => {
  test('without a project belong to default', () => {
    expect(checkApplication(document(), '').application.spec.project).toBe('default');
  });

  test.each([
    [document({ sourceHydrator: {} }), 'spec.sourceHydrator: not supported yet'],
    [
      document({
        sources: [
          { repoURL: 'a', path: 'a' },
          { repoURL: 'b', plugin: {} },
        ],
      }),
      'spec.sources[1].plugin: config management plugins',
    ],
    [document(source({ chart: '../a' })), 'spec.source.chart: "../a" is no name of a chart'],
    [document(source({ plugin: { name: 'x' } })), 'spec.source.plugin: config management plugins'],
    [document(source({ directory: { jsonnet: { libs: ['x'] } } })), 'spec.source.directory.jsonnet'],
    [document(source({ helm: {}, kustomize: {} })), 'helm and kustomize exclude each other'],
    [document({}, { operation: { sync: {} } }), 'operation: not supported'],
  ])('with something that is not supported are refused by its name', (written, message) => {
    expect(() => checkApplication(written, 'Application web')).toThrow(message);
  });

  test.each([
    [document({ destination: { name: 'a', server: 'b' } }), 'give server or name, not both'],
    [document({ destination: {} }), 'server or name is missing'],
    [document({ source: null }), 'spec.source: missing'],
    [
      document({ syncPolicy: { automated: { pruned: true } } }),
      'spec.syncPolicy.automated.pruned: unknown field',
    ],
    [
      document(source({ helm: { parameters: [{ name: 1 }] } })),
      'spec.source.helm.parameters[0].name: expected string',
    ],
    [document({}, { metadata: { name: 'A b' } }), 'metadata.name: is not a DNS name'],
    [
      document({ syncPolicy: { retry: { limit: 1, backoff: { duration: 'soon' } } } }),
      'spec.syncPolicy.retry: backoff.duration: "soon" is no duration',
    ],
  ])('that are wrong are refused with the field', (written, message) => {
    expect(() => checkApplication(written, 'Application web')).toThrow(message);
  });

  test('with fields that have no effect yet say so', () => {
    const { notices } = checkApplication(
      document({
        syncPolicy: {
          retry: { limit: 2 },
          syncOptions: ['CreateNamespace=true', 'ServerSideApply=false', 'Replace=true', 'Shiny=true'],
        },
        ignoreDifferences: [{ kind: 'Deployment', jsonPointers: ['spec'] }],
      }),
      '',
    );
    expect(notices).toEqual([
      expect.stringContaining(
        'ServerSideApply=false has no effect yet: objects are always applied server-side',
      ),
      'spec.syncPolicy.syncOptions Shiny=true has no effect yet',
      'spec.ignoreDifferences[0].jsonPointers[0] "spec" has no effect yet',
    ]);
  });
});

describe('several sources', () => {
  const chart = (...valueFiles: string[]) => ({
    repoURL: 'https://a.test/a',
    path: 'a',
    helm: { valueFiles },
  });
  const values = { repoURL: 'https://a.test/b', ref: 'values' };
  const several = (...sources: Record<string, unknown>[]) => document({ source: undefined, sources });

  test('count instead of the one, and know their places', () => {
    const { sources, notices } = checkApplication(
      document({ sources: [chart('$values/x.yaml'), values] }),
      '',
    );
    expect(sources.map(({ where }) => where)).toEqual(['spec.sources[0]', 'spec.sources[1]']);
    expect(notices).toEqual(['spec.source has no effect beside spec.sources']);
  });

  test('may refer to each other', () => {
    const one = { ...chart('$b/x.yaml'), ref: 'a' };
    const other = { ...chart('$a/x.yaml'), ref: 'b' };
    expect(checkApplication(several(one, other), '').sources).toHaveLength(2);
  });

  test.each([
    [
      several(chart('x.yaml', '$vals/x.yaml'), values),
      'spec.sources[0].helm.valueFiles[1]: $vals is not the ref of a source (there is $values)',
    ],
    [several(chart('$values'), chart()), '$values is not the ref of a source (no source has one)'],
    [
      several({ ...chart(), helm: { fileParameters: [{ name: 'a', path: '$x/y' }] } }),
      'spec.sources[0].helm.fileParameters[0].path: $x is not',
    ],
    [several(chart(), values, values), 'spec.sources[2].ref: values is the ref of spec.sources[1] already'],
    [several(chart(), { ...values, ref: 'a.b' }), 'spec.sources[1].ref: "a.b" may hold letters'],
    [several(chart(), { repoURL: 'https://a.test/c' }), 'spec.sources[1]: path, chart or ref is missing'],
    [several(values), 'spec.sources: none of them has a path or a chart'],
  ])('that do not fit together are refused with the field', (written, message) => {
    expect(() => checkApplication(written, 'Application web')).toThrow(message);
  });
});

test.each([
  [[], 'orphan'],
  [['resources-finalizer.argocd.argoproj.io'], 'uninstall'],
  [['resources-finalizer.argocd.argoproj.io/background'], 'uninstall'],
  [['post-delete-finalizer.argocd.argoproj.io'], 'orphan'],
])('finalizers %j: %s', (finalizers, removal) => {
  const { application } = checkApplication(document({}, { metadata: { name: 'web', finalizers } }), '');
  expect(removalOf(application)).toBe(removal);
});

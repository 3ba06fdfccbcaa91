import { MusterError } from '@muster/base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { realEngines } from './testing/engines.ts';
import { compileGlob } from './globs/doublestar.ts';
import { compilePathMatch } from './globs/path-match.ts';
import { compilePathspec } from './globs/pathspec.ts';
import { type ApplicationSet, expand } from './index.ts';
import { mergeDeep } from './merge-params.ts';
import { dict, type Params } from './params.ts';
import { strategicMerge } from './strategic-merge.ts';
import { applicationShape } from './schema.ts';

const engines = realEngines({ stallMs: 1000 });

/** Text that is likely to hit something: braces, tags, YAML, names that JavaScript treats apart. */
const text = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '{{',
    '}}',
    '{{name}}',
    '{{ .name }}',
    '{{ .a.b.c }}',
    '{{ range . }}{{ . }}{{ end }}',
    '__proto__',
    'constructor',
  ),
  fc.constantFrom(
    '*',
    '**/[',
    ':(glob)**',
    ':!',
    '../..',
    'a: [',
    '- {a: b}',
    '{{ tpl .name . }}',
    '{{ toYaml . }}',
    '\\',
  ),
  fc
    .array(
      fc.constantFrom('{{', '}}', '{', '}', ' ', '.', 'name', '|', 'upper', '"', '(', ')', '\n', '$x', ':='),
    )
    .map((parts) => parts.join('')),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const params = fc.dictionary(text, json, { maxKeys: 4 });
const values = fc.dictionary(text, text, { maxKeys: 2 });
const selector = fc.oneof(fc.record({ matchLabels: values }, { requiredKeys: [] }), json);

const leaf = fc.oneof(
  fc.record({
    list: fc.record(
      { elements: fc.array(params, { maxLength: 3 }), elementsYaml: text },
      { requiredKeys: [] },
    ),
  }),
  fc.record({ clusters: fc.record({ selector, values, flatList: fc.boolean() }, { requiredKeys: [] }) }),
  fc.record({
    git: fc.record(
      { repoURL: text, directories: fc.array(fc.record({ path: text })), values },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    git: fc.record({ repoURL: text, files: fc.array(fc.record({ path: text })), pathParamPrefix: text }),
  }),
  fc.record({ list: json, selector }),
  json,
);
const pair = fc.array(leaf, { minLength: 1, maxLength: 3 });
const generator = fc.oneof(
  leaf,
  fc.record({ matrix: fc.record({ generators: pair }) }),
  fc.record({ merge: fc.record({ generators: pair, mergeKeys: fc.array(text, { maxLength: 2 }) }) }),
);
const template = fc.oneof(
  fc.record({
    metadata: fc.record({ name: text, labels: values, finalizers: fc.array(text, { maxLength: 2 }) }),
    spec: fc.record({
      project: text,
      destination: fc.record({ server: text }),
      source: fc.record({ repoURL: text, helm: fc.record({ values: text, valuesObject: params }) }),
    }),
  }),
  json,
);
const spec = fc.record(
  {
    goTemplate: fc.boolean(),
    goTemplateOptions: fc.array(fc.constantFrom('missingkey=error', 'missingkey=zero', 'nope'), {
      maxLength: 1,
    }),
    generators: fc.oneof(fc.array(generator, { maxLength: 3 }), json),
    template,
    templatePatch: fc.oneof(text, json),
  },
  { requiredKeys: ['template'] },
);

it('answers every document with Applications or with an error that is safe to show', {
  timeout: 240_000,
}, async () => {
  const repos = {
    tree: () => ({
      files: ['a/b.yaml', 'c.json', '__proto__/x'],
      read: () => '{"name": "{{name}}", "__proto__": {"a": 1}}',
    }),
  };
  const clusters = [
    { name: 'a', server: 'https://a', labels: { env: 'prod', __proto__x: '{{name}}' } },
    { name: '', server: '' },
  ];
  const property = fc.asyncProperty(spec, async (given) => {
    const applicationSet = {
      metadata: { name: 'x', namespace: 'argocd' },
      spec: given,
    } as unknown as ApplicationSet;
    try {
      const { applications } = await expand(
        { applicationSet, repos, clusters, projects: ['default'] },
        engines,
      );
      for (const { metadata } of applications) expect(typeof metadata.name).toBe('string');
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      expect(error.code).not.toBe('internal');
    }
  });
  await fc.assert(property, { numRuns: 400 });
  expect(({} as Record<string, unknown>)['a']).toBeUndefined();
});

it('lays one map over another so that a second time changes nothing', () => {
  fc.assert(
    fc.property(params, params, (base, over) => {
      const once = mergeDeep(mergeDeep(dict(), base), over);
      expect(mergeDeep(mergeDeep(dict(), once as Params), over)).toEqual(once);
    }),
  );
});

it('patches without changing what it patches, and an empty patch changes nothing', () => {
  const application = fc.record({
    metadata: fc.record({ labels: values }),
    spec: fc.record({ project: text }),
  });
  fc.assert(
    fc.property(application, json, (given, patch) => {
      const before = structuredClone(given);
      expect(strategicMerge(given, {}, applicationShape)).toEqual(given);
      try {
        strategicMerge(given, { spec: patch } as never, applicationShape);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
      expect(given).toEqual(before);
    }),
  );
});

it('matches any pattern against any path in bounded time', () => {
  const pattern = fc.array(
    fc.constantFrom('*', '**', '**/', '?', '[a-', ']', '{a,', '}', '\\', 'a', '/', '!'),
    { maxLength: 60 },
  );
  const path = 'a/'.repeat(200);
  fc.assert(
    fc.property(pattern, (parts) => {
      for (const compile of [compileGlob, compilePathMatch, compilePathspec]) {
        try {
          compile(parts.join(''))(path);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }
    }),
    { numRuns: 300 },
  );
});

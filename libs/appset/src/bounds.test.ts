import { describe, expect, it } from 'vitest';
import { BOUNDS, Output } from './bounds.ts';
import { type ApplicationSet, expand, ExpansionError } from './index.ts';
import { realEngines } from './testing/engines.ts';

const engines = realEngines();

const URL = 'https://git.test/a.git';
const items = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => ({ name: `n${i}`, ...more }));
const list = (count: number, more?: object) => ({ list: { elements: items(count, more) } });
/** Ten levels of ten aliases each: ten thousand million leaves. */
const laughs = `l0: &l0 [lol]\n${Array.from({ length: 10 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(',')}]`).join('\n')}\n`;

async function failure(spec: object, files: Record<string, string> = {}): Promise<ExpansionError> {
  const applicationSet = {
    metadata: { name: 'fleet', namespace: 'argocd' },
    spec: {
      template: {
        metadata: { name: '{{name}}' },
        spec: { project: 'default', destination: { name: 'c' } },
      },
      ...spec,
    },
  } as unknown as ApplicationSet;
  const repos = { tree: () => ({ files: Object.keys(files), read: (path: string) => files[path]! }) };
  const thrown: unknown = await expand({ applicationSet, repos }, engines).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(ExpansionError);
  return thrown as ExpansionError;
}

const goTemplate = (name: string, generators: object[] = [list(1)]) => ({
  goTemplate: true,
  generators,
  template: { metadata: { name }, spec: { project: 'default', destination: { name: 'c' } } },
});

describe('an expansion is bounded', () => {
  it('in the parameter sets of a generator', async () => {
    const matrix = { matrix: { generators: [list(1000), { list: { elements: [] } }] } };
    matrix.matrix.generators[1] = list(1000);
    const error = await failure({ goTemplate: true, generators: [matrix] });
    expect(error).toMatchObject({ code: 'limit', where: 'spec.generators[0].matrix' });
    expect(error.message).toContain('more than 100,000 parameter sets');
  });

  it('in the Applications of all generators together', async () => {
    const generators = [list(60_000), list(BOUNDS.applications - 59_999)];
    const error = await failure({ generators });
    expect(error).toMatchObject({ code: 'limit', where: 'spec.generators[1]' });
  });

  it('in the length of a field, in both languages', async () => {
    const long = 'x'.repeat(1 << 20);
    const fast = await failure({
      generators: [list(1, { long })],
      template: { metadata: { name: '{{long}}'.repeat(5) }, spec: { project: 'p', destination: {} } },
    });
    expect(fast.where).toBe('spec.template.metadata.name');
    expect(fast.message).toContain('larger than 4 MiB');
    const go = await failure(goTemplate('{{ repeat 5 .long }}', [list(1, { long })]));
    expect(go).toMatchObject({ where: 'spec.template.metadata.name' });
    expect(go.message).toContain('larger than 4 MiB');
  });

  it('in the length of all fields together', () => {
    const output = new Output();
    const row = ['x'.repeat(BOUNDS.fieldLength)];
    for (let i = 0; i < BOUNDS.textLength / BOUNDS.fieldLength; i++) {
      expect(output.exceededBy(row)).toBeUndefined();
    }
    expect(output.exceededBy(['', 'y'])).toBe(1);
    expect(output.reason('y')).toContain('256 MiB together');
  });
});

describe('what explodes is stopped and named', () => {
  it.each([
    ['a list of a thousand million', '{{ until 1000000000 }}'],
    ['repeat in repeat', '{{ repeat 100000 (repeat 100000 "x") | len }}'],
    ['a template that calls itself', '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}'],
    ['loops in loops', '{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}'],
    ['a text that doubles', '{{ $s := "12345678" }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}'],
    ['tpl in tpl', '{{ $t := "{{ tpl . . }}" }}{{ tpl $t $t }}'],
    ['a huge repetition in a pattern', '{{ regexFind "((a{100}){100}){100}" .name }}'],
    ['YAML aliases', `{{ fromYaml ${JSON.stringify(laughs)} | toJson | len }}`],
  ])('%s', async (_what, text) => {
    const error = await failure(goTemplate(text));
    expect(error).toMatchObject({
      reason: 'RenderTemplateParamsError',
      where: 'spec.template.metadata.name',
    });
  });

  it('a template that explodes in the second child of a matrix', async () => {
    const second = { list: { elements: [{ x: '{{ until 1000000000 }}' }] } };
    const error = await failure(goTemplate('{{ .name }}', [{ matrix: { generators: [list(1), second] } }]));
    expect(error.where).toContain('spec.generators[0].matrix.generators[1]');
  });

  it('YAML aliases in a file, in elementsYaml and in a patch', async () => {
    const files = [{ path: '*.yaml' }];
    const ofFile = await failure(
      { generators: [{ git: { repoURL: URL, revision: '', files } }] },
      { 'a.yaml': laughs },
    );
    expect(ofFile.where).toContain('a.yaml');
    const ofList = await failure({ generators: [{ list: { elementsYaml: `[${'{'}${laughs}` } }] });
    expect(ofList.where).toBe('spec.generators[0].list.elementsYaml');
    const ofPatch = await failure({ generators: [list(1)], templatePatch: laughs });
    expect(ofPatch.where).toBe('spec.templatePatch');
  });

  it('a file nested too deeply', async () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    const error = await failure(
      { generators: [{ git: { repoURL: URL, revision: '', files: [{ path: '*' }] } }] },
      { 'a.json': `{"a": ${deep}}` },
    );
    expect(error.where).toContain('a.json');
  });
});

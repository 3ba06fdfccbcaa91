import { describe, expect, it } from 'vitest';
import { type ApplicationSet, expand, type Generator } from './index.ts';
import { realEngines } from './testing/engines.ts';

const engines = realEngines();

async function annotations(generators: Generator[], text: string): Promise<(string | undefined)[]> {
  const metadata = { name: '{{ .name }}', annotations: { text } };
  const applicationSet = {
    metadata: { name: 'fleet', namespace: 'argocd' },
    spec: {
      goTemplate: true,
      generators,
      template: { metadata, spec: { project: 'default', destination: { name: 'c' } } },
    },
  } as unknown as ApplicationSet;
  const { applications } = await expand({ applicationSet }, engines);
  return applications.map((each) => each.metadata.annotations?.['text']);
}

describe('the second child of a matrix', () => {
  const first = { list: { elements: [{ name: 'heron' }] } };

  it('loses null members of maps in passing, with or without placeholders', async () => {
    const second = (zone: string) => ({ list: { elements: [{ zone, cfg: { a: null, b: [null, 1] } }] } });
    for (const zone of ['north', '{{ .name }}']) {
      const matrix = { matrix: { generators: [first, second(zone)] } } as Generator;
      expect(await annotations([matrix], '{{ toJson .cfg }}')).toEqual(['{"b":[null,1]}']);
    }
  });

  it('has no template, so that nothing in one is filled', async () => {
    const inner = {
      matrix: { generators: [{ list: { elements: [{ a: '1' }] } }, { list: { elements: [{ b: '2' }] } }] },
    };
    const template = { metadata: { labels: { l: '{{ fail "never rendered" }}' } }, spec: {} };
    const matrix = { matrix: { generators: [first, { matrix: { ...inner.matrix, template } }] } };
    expect(await annotations([matrix as unknown as Generator], '{{ .a }}{{ .b }}')).toEqual(['12']);
  });
});

describe('tpl', () => {
  it('knows what its field defines, and prints nothing for what is missing', async () => {
    const generators = [{ list: { elements: [{ name: 'heron', t: '{{ template "x" . }}/{{ .nope }}' }] } }];
    const text = '{{ define "x" }}<{{ .name }}>{{ end }}{{ tpl .t . }} {{ .nope }}';
    expect(await annotations(generators as Generator[], text)).toEqual(['<heron>/ <no value>']);
  });
});

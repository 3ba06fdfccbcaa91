import { expect, test } from 'vitest';
import { HelmIndex } from './helm-index.ts';

const DIGEST = 'a'.repeat(64);
const INDEX = `apiVersion: v1
entries:
  # of the shop
  web:
  - apiVersion: v2
    appVersion: "9"
    created: "2026-01-02T03:04:05.123456789Z"
    description: |
      entries:
        of many lines
    digest: ${DIGEST}
    name: web
    urls:
    - web-1.1.0.tgz
    version: 1.1.0
  - name: web
    version: 1.0.0
    urls: [https://elsewhere.test/web-1.0.0.tgz]
  "quoted-name":
    - name: quoted-name
      version: 0.1.0
  none: []
generated: "2026-01-02T03:04:05Z"
`;

test('charts are found by their lines, with their versions in order', () => {
  const index = new HelmIndex(INDEX, 'index.yaml');
  expect(index.names()).toEqual(['web', 'quoted-name', 'none']);
  expect(index.versions('web')).toEqual([
    {
      name: 'web',
      version: '1.1.0',
      appVersion: '9',
      digest: `sha256:${DIGEST}`,
      urls: ['web-1.1.0.tgz'],
      created: new Date('2026-01-02T03:04:05.123Z'),
    },
    {
      name: 'web',
      version: '1.0.0',
      appVersion: undefined,
      digest: undefined,
      urls: ['https://elsewhere.test/web-1.0.0.tgz'],
      created: undefined,
    },
  ]);
  expect(index.versions('quoted-name')?.map(({ version }) => version)).toEqual(['0.1.0']);
  expect(index.versions('none')).toEqual([]);
  expect(index.versions('generated')).toBeUndefined();
});

test('an index in JSON or in flow style is read as a whole', () => {
  const entries = { web: [{ name: 'web', version: '1.0.0', digest: `sha256:${DIGEST}`, urls: [] }] };
  for (const text of [JSON.stringify({ entries }), `entries: {web: [{name: web, version: 1.0.0}]}\n`])
    expect(new HelmIndex(text, 'index.yaml').versions('web')?.[0]?.version).toBe('1.0.0');
  expect(new HelmIndex('entries:\n  {web: [{version: 1.0.0}]}\n', 'i').names()).toEqual(['web']);
});

test.each([
  ['<html>not a repository</html>', /this is not a Helm repository/],
  ['entries: [a]\n', /this is not a Helm repository/],
  ['{"entries": ', /the index of the repository/],
])('%j is no index', (text, message) => {
  expect(() => new HelmIndex(text, 'index.yaml').names()).toThrow(message);
});

test('one chart that is wrong does not hide the others', () => {
  const index = new HelmIndex('entries:\n  bad:\n  - "\n  web:\n  - version: 1.0.0\n', 'index.yaml');
  expect(() => index.versions('bad')).toThrow('the entry bad cannot be read');
  expect(index.versions('web')?.length).toBe(1);
});

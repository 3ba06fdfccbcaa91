import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { yamlText } from './yaml-text.ts';

describe('a manifest as YAML', () => {
  it('is written as people know it', () => {
    const manifest = {
      apiVersion: 'v1',
      metadata: { name: 'web', annotations: { 'muster.dev/at': '2026-01-01', on: 'yes' }, labels: {} },
      data: { script: '#!/bin/sh\necho one\n', version: '1.0', url: 'http://web:80/', note: 'a: b' },
      list: [{ name: 'one', args: ['-v', '--all'] }, []],
      replicas: 3,
      none: null,
    };
    expect(yamlText(manifest)).toBe(`apiVersion: v1
metadata:
  name: web
  annotations:
    muster.dev/at: "2026-01-01"
    "on": "yes"
  labels: {}
data:
  script: |
    #!/bin/sh
    echo one
  version: "1.0"
  url: http://web:80/
  note: "a: b"
list:
- name: one
  args:
  - "-v"
  - "--all"
- []
replicas: 3
none: null
`);
  });

  it('says what the object says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(load(yamlText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps texts of signs that mean something in YAML', () => {
    const signs = fc.string({ unit: fc.constantFrom(...'a1 \n\t:#-|>\'"{}[]&*!%@`,?~\u0085') });
    fc.assert(
      fc.property(fc.array(signs), (texts) => {
        const each = Object.fromEntries(texts.map((text) => [`k${text}`, text]));
        expect(load(yamlText({ nested: { texts, each } }))).toEqual({ nested: { texts, each } });
      }),
    );
  });
});

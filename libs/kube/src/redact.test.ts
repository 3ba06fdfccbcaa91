import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASK, redact, redactText, secretValues } from './redact.ts';

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', annotations: {} as Record<string, string> },
  data: { password: Buffer.from('hunter22').toString('base64') },
  stringData: { token: 'tok-12345' },
};

describe('redact', () => {
  it('keeps the keys of a Secret and hides the values', () => {
    expect(redact(secret)).toEqual({ ...secret, data: { password: MASK }, stringData: { token: MASK } });
  });

  it('hides them in lists and in last-applied annotations', () => {
    const applied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret) };
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { ...secret, metadata: { name: 's', annotations: applied } },
        { kind: 'List', items: [secret] },
      ],
    };
    const typed = { apiVersion: 'v1', kind: 'SecretList', items: [{ metadata: {}, data: secret.data }] };
    expect(JSON.stringify(redact([list, typed].map(redact)))).not.toMatch(/hunter|tok-|aHVud/);
  });

  it('hides a last-applied annotation that it cannot read', () => {
    const metadata = {
      name: 's',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data": hunter22' },
    };
    expect(JSON.stringify(redact({ ...secret, metadata }))).not.toContain('hunter');
  });

  it('hides data that is no map', () => {
    expect(redact({ ...secret, data: 'hunter22' }).data).toBe(MASK);
  });

  it('does not touch what is no Secret, and changes no input', () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } };
    expect(redact(map)).toBe(map);
    const before = structuredClone(secret);
    redact(secret);
    expect(secret).toEqual(before);
  });

  it('hides known values in messages, in every form', () => {
    const values = secretValues([secret]);
    const message = `admission: "hunter22" (${Buffer.from('hunter22').toString('base64')}), token tok-12345`;
    expect(redactText(message, values)).toBe(`admission: "${MASK}" (${MASK}), token ${MASK}`);
  });

  it('never lets a long enough value through', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 5 }), fc.string(), fc.string(), (value, before, after) => {
        if (value.trim().length < 4 || MASK.includes(value.trim()) || value.includes('\n')) return;
        const values = secretValues([{ ...secret, data: {}, stringData: { k: value } } as never]);
        fc.pre(!['true', 'false', 'null', 'none', 'default'].includes(value.trim().toLowerCase()));
        expect(redactText(`${before} ${value} ${after}`, values)).not.toContain(value.trim());
      }),
    );
  });
});

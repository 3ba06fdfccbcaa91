import { MusterError } from '@muster/base';
import { MASK } from '@muster/kube';
import { expect, test } from 'vitest';
import { lookingSecret, maskStrings, secretsIn, withoutSecrets } from './secrets.ts';

test('what looks secret in a source is masked, what names a secret or makes one is not', () => {
  const spec = {
    source: {
      helm: {
        values: 'db:\n  password: hunter-one\n  host: postgres\n',
        valuesObject: { auth: { clientSecret: 'hunter-two', existingSecret: 'db-login', pin: 4711 } },
        parameters: [
          { name: 'admin.token', value: 'hunter-three' },
          { name: 'image.tag', value: 'hunter' },
          { name: 'password', value: '{{ .password }}' },
        ],
      },
    },
    info: 'uses hunter-one',
  };
  expect(maskStrings(spec, lookingSecret(spec))).toEqual({
    source: {
      helm: {
        values: `db:\n  password: ${MASK}\n  host: postgres\n`,
        valuesObject: { auth: { clientSecret: MASK, existingSecret: 'db-login', pin: 4711 } },
        parameters: [
          { name: 'admin.token', value: MASK },
          { name: 'image.tag', value: 'hunter' },
          { name: 'password', value: '{{ .password }}' },
        ],
      },
    },
    info: `uses ${MASK}`,
  });
});

test('passwords in URLs, tokens in place of a user, and values that cannot be read are secret', () => {
  const token = 'ghp_0123456789abcdefghij';
  const spec = {
    sources: [
      { repoURL: 'https://ada:hunt%40er@git.example.org/a.git' },
      { repoURL: `https://${token}@git.example.org/b.git` },
      { repoURL: 'https://ada@git.example.org/c.git' },
      {
        helm: {
          values: 'password: hunter\n b: c: d\n',
          valuesObject: { dsn: 'postgres://app:hunter2@db/app' },
        },
      },
    ],
  };
  expect(maskStrings(spec, lookingSecret(spec))).toEqual({
    sources: [
      { repoURL: `https://ada:${MASK}@git.example.org/a.git` },
      { repoURL: `https://${MASK}@git.example.org/b.git` },
      { repoURL: 'https://ada@git.example.org/c.git' },
      { helm: { values: `${MASK}\n`, valuesObject: { dsn: `postgres://app:${MASK}@db/app` } } },
    ],
  });
});

test('values are found in Secrets that are no YAML, and in values that a template puts into one', () => {
  const found = secretsIn({ kind: 'helm', values: 'dsn: from-values\n' }, [
    { path: 'a.yaml', text: 'kind: Secret\nstringData:\n  a: "in quotes"\n  b: [\nother: x\n' },
    {
      path: 'c.yaml',
      text: 'kind: Secret\ndata:\n  dsn: {{ .Values.dsn | b64enc }}\n  u: {{ .Values.db.user }}\n',
    },
    { path: 'values.yaml', text: 'db:\n  user: from-chart\n  host: postgres\n' },
    { path: 'secret.env', text: 'KEY=from-file\n' },
  ]);
  for (const secret of [
    'in quotes',
    'from-values',
    'from-chart',
    'from-file',
    Buffer.from('from-values').toString('base64'),
  ])
    expect([...found]).toContain(secret);
  for (const plain of ['postgres', 'other', 'Secret']) expect([...found]).not.toContain(plain);
});

test('an error that quotes a secret loses it and its cause; any other stays as it is', () => {
  const cause = new Error('hunter');
  const error = new MusterError('invalid', 'cannot use hunter', { where: 'a.yaml:1', cause });
  const clean = withoutSecrets(error, new Set(['hunter']));
  expect(clean).toMatchObject({ code: 'invalid', message: `cannot use ${MASK}`, where: 'a.yaml:1' });
  expect(clean.cause).toBeUndefined();
  expect(withoutSecrets(error, new Set(['other']))).toBe(error);
});

import { expect, test } from 'vitest';
import { dependenciesOf, lockDigest } from './chart-dependencies.ts';
import { localFolder } from './chart-dependency-files.ts';

/** Locks as helm 4 wrote them for these lists. */
const NEAR = { name: 'near', repository: 'file://../near', version: '0.3.0' };
const written: [string, Record<string, unknown>[], string][] = [
  ['a version', [NEAR], 'sha256:8bbdcdef7a8b4c6f5e267b115b6b9742647592efca1de979e7b27884a8e35120'],
  [
    'a range with < and a condition, an alias that imports values by a map',
    [
      { ...NEAR, version: '>=0.1 <1', condition: 'extra.enabled' },
      { ...NEAR, alias: 'second', 'import-values': [{ child: 'a', parent: 'b' }] },
    ],
    'sha256:e521f62ec4f8352df91f6f0800fa0b8bc385408c581e6d294a0a72cc66efbfd0',
  ],
  [
    'a range and an alias',
    [
      { ...NEAR, version: '0.3.x', condition: 'extra.enabled' },
      { ...NEAR, alias: 'second' },
    ],
    'sha256:617438b2466edaded2bbfb9caab9c2c55d41da0df86666c2688cc42b9d442972',
  ],
];
const chart = (dependencies: unknown) => ({
  text: `apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: ${JSON.stringify(dependencies)}\n`,
  where: 'Chart.yaml',
});
const lock = (dependencies: unknown, digest: string) => ({
  text: `dependencies: ${JSON.stringify(dependencies)}\ndigest: ${digest}\n`,
  where: 'Chart.lock',
});

test.each(written)('a lock as helm writes it is in step: %s', (_what, wanted, digest) => {
  const found = dependenciesOf(
    chart(wanted),
    lock(
      wanted.map(() => NEAR),
      digest,
    ),
  );
  expect(found.locked).toBe(true);
  expect(found.wanted.map(({ version }) => version)).toEqual(wanted.map(() => '0.3.0'));
});

test.each(written)('a list that was changed after the lock is refused: %s', (_what, wanted, digest) => {
  const locked = lock(
    wanted.map(() => NEAR),
    digest,
  );
  const out = {
    code: 'invalid',
    where: 'Chart.lock',
    hint: expect.stringContaining('helm dependency update'),
  };
  const changed = [{ ...wanted[0], version: '0.4.0' }, ...wanted.slice(1)];
  expect(() => dependenciesOf(chart(changed), locked)).toThrow(expect.objectContaining(out));
  expect(() => dependenciesOf(chart([...wanted, NEAR]), locked)).toThrow(expect.objectContaining(out));
});

test('a repository by its name is a URL in the lock, and stays a name', () => {
  const wanted = [{ ...NEAR, repository: '@shop' }];
  const locked = [{ ...NEAR, repository: 'https://charts.test' }];
  const digest = lockDigest(locked, locked);
  expect(dependenciesOf(chart(wanted), lock(locked, digest)).wanted[0]).toMatchObject({
    repository: '@shop',
  });
});

test('without a lock the ranges are wanted as they are written', () => {
  const found = dependenciesOf(
    chart([{ name: 'a', version: '^1', repository: 'https://x.test' }]),
    undefined,
  );
  expect(found).toEqual({
    locked: false,
    wanted: [{ name: 'a', version: '^1', repository: 'https://x.test', alias: '' }],
  });
  expect(dependenciesOf({ text: 'name: a', where: 'Chart.yaml' }, undefined).wanted).toEqual([]);
});

test('a list that is none, or a very long one, is refused', () => {
  expect(() => dependenciesOf(chart('x'), undefined)).toThrow(expect.objectContaining({ code: 'invalid' }));
  const many = Array.from({ length: 101 }, () => NEAR);
  expect(() => dependenciesOf(chart(many), undefined)).toThrow(expect.objectContaining({ code: 'limit' }));
});

test.each([
  ['apps/a', 'file://../near', 'apps/near'],
  ['a', 'file://../', ''],
  ['', 'file://near', 'near'],
  ['', 'file://./x/y/', 'x/y'],
])('in %j, %s is %j', (path, repository, folder) => {
  expect(localFolder(path, { ...NEAR, repository, alias: '' })).toBe(folder);
});

test.each([
  ['a', 'file://../../near'],
  ['', 'file://..'],
  ['a', 'file:///etc'],
])('in %j, %s is outside', (path, repository) => {
  expect(() => localFolder(path, { ...NEAR, repository, alias: '' })).toThrow('not in the same repository');
});

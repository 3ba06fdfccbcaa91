import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ARCHIVE_LIMITS, type ArchiveLimits, unpackArchive } from './archive-tree.ts';
import { type TarMember, tarOf } from './registry.fixture.ts';

const unpack = async (members: TarMember[], isChart = false, limits: Partial<ArchiveLimits> = {}) =>
  unpackArchive(await tarOf(members), { pin: 'web', isChart, limits: { ...ARCHIVE_LIMITS, ...limits } });

test('a chart’s files without its folder, an artifact’s as they are, with the newest of their times', async () => {
  const members = [
    { name: 'web/', type: 'directory' as const },
    { name: 'web/Chart.yaml', content: 'name: web', mtime: new Date('2026-01-02T03:04:05Z') },
    { name: './web/templates/a.yaml', content: 'a', mtime: new Date('2025-01-01T00:00:00Z') },
  ];
  const chart = await unpack([members[1]!, { name: 'web/templates/a.yaml', content: 'a' }], true);
  expect((await chart.tree.read('Chart.yaml'))?.toString()).toBe('name: web');
  const artifact = await unpack(members);
  expect(await artifact.tree.list('web')).toEqual([
    { name: 'Chart.yaml', kind: 'file' },
    { name: 'templates', kind: 'dir' },
  ]);
  expect((await artifact.tree.read('web/templates/a.yaml'))?.toString()).toBe('a');
  expect(artifact.modifiedAt).toEqual(new Date('2026-01-02T03:04:05Z'));
  const plain = await unpackArchive(await tarOf(members, false), { pin: 'web', isChart: false });
  expect(plain.tree.rootOid).toBe(artifact.tree.rootOid);
});

test.each<[string, TarMember[], RegExp]>([
  ['a path out of it', [{ name: 'web/../../etc/passwd' }], /leads out of it/],
  ['an absolute path', [{ name: '/etc/passwd' }], /leads out of it/],
  ['a path of Windows', [{ name: 'web\\..\\..\\x' }], /leads out of it/],
  ['a drive', [{ name: 'c:/x' }], /leads out of it/],
  ['a symlink', [{ name: 'web/l', type: 'symlink', linkname: '/etc/passwd' }], /the link web\/l/],
  ['a hard link', [{ name: 'web/l', type: 'link', linkname: 'web/a' }], /the link web\/l/],
  ['a pipe', [{ name: 'web/p', type: 'fifo' }], /is no file/],
  ['a file that is a folder too', [{ name: 'web/a' }, { name: 'web/a/b' }], /as a file and as a folder/],
  ['nothing', [{ name: 'web/', type: 'directory' }], /holds no files/],
])('%s is refused', async (_what, members, message) => {
  await expect(unpack(members)).rejects.toThrow(message);
});

test('a file beside a chart’s folder is refused', async () => {
  await expect(unpack([{ name: 'Chart.yaml' }], true)).rejects.toThrow('beside the chart’s folder');
});

test('what is no archive, or only half of one, is refused', async () => {
  const options = { pin: 'web:1.0.0', isChart: true };
  await expect(unpackArchive(Buffer.from('<html>'), options)).rejects.toMatchObject({ code: 'invalid' });
  const whole = await tarOf([{ name: 'web/a', content: Buffer.alloc(100_000, 'xyz') }]);
  await expect(unpackArchive(whole.subarray(0, whole.length / 2), options)).rejects.toThrow(/cannot be read/);
  await expect(unpackArchive(gzipSync('no tar'), options)).rejects.toMatchObject({ code: 'invalid' });
});

test('bombs are stopped by their files, bytes and ratio before they are unpacked', async () => {
  const zeros = Buffer.alloc(8 * 1024 * 1024);
  await expect(unpack([{ name: 'web/a', content: zeros }])).rejects.toThrow(/unpacks to more than/);
  await expect(unpack([{ name: 'web/a', content: zeros }], false, { maxFileBytes: 1000 })).rejects.toThrow(
    'web/a has more than 1000 bytes',
  );
  const many = Array.from({ length: 50 }, (_, i) => ({ name: `web/${i}`, content: 'x' }));
  await expect(unpack(many, false, { maxFiles: 20 })).rejects.toThrow('more than 20 files');
  const large = Array.from({ length: 20 }, (_, i) => ({
    name: `web/${i}`,
    content: Buffer.alloc(1000, `${i}`),
  }));
  await expect(unpack(large, false, { maxBytes: 10_000 })).rejects.toThrow(
    'unpacks to more than 10000 bytes',
  );
});

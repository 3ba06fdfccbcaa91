import { expect, it } from 'vitest';
import { FileView } from './file-view.ts';
import type { Entry } from './request.ts';

const bounds = { totalBytes: 1000, fileBytes: 500, fileCount: 100, outputBytes: 1 };

/** A tree of texts; `-> x` is a symbolic link to x. */
function view(tree: Record<string, string>, given = bounds): FileView {
  return new FileView(
    {
      list: (dir) => {
        const prefix = dir === '.' ? '' : `${dir}/`;
        const entries = new Map<string, Entry>();
        for (const [path, text] of Object.entries(tree).filter(([p]) => p.startsWith(prefix))) {
          const [name, ...rest] = path.slice(prefix.length).split('/');
          const type = rest.length > 0 ? 'dir' : text.startsWith('-> ') ? 'symlink' : 'file';
          entries.set(name!, { name: name!, type });
        }
        return entries.size > 0 ? [...entries.values()] : undefined;
      },
      read: (path) => (path in tree ? new TextEncoder().encode(tree[path]!.replace('-> ', '')) : undefined),
    },
    given,
  );
}
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

it('follows symbolic links inside the repository, and records both ends', () => {
  const files = view({ 'a/link': '-> ../b/dir', 'b/dir/x': 'hello', c: '-> a/link/x' });
  expect(text(files.read('a/link/x'))).toBe('hello');
  expect(text(files.read('c'))).toBe('hello');
  expect(files.list('a')).toEqual([{ name: 'link', type: 'dir' }]);
  expect(files.reads()).toEqual({ files: ['a/link', 'b/dir/x', 'c'], dirs: ['a'], absent: [] });
});

it('refuses paths and links that lead out', () => {
  const files = view({ 'a/out': '-> ../../etc', 'a/abs': '-> /etc/passwd', 'a/x': '' });
  for (const path of ['../x', 'a/../../x', 'a/out/passwd', 'a/abs']) {
    expect(() => files.read(path)).toThrow(/out of the repository/);
  }
});

it('refuses links in a circle, and sees a link to nothing as absent', () => {
  const files = view({ a: '-> b', b: '-> a', c: '-> d' });
  expect(() => files.read('a')).toThrow(/circle/);
  expect(files.read('c')).toBeUndefined();
  expect(files.reads().absent).toEqual(['c']);
});

it('keeps within the bounds', () => {
  expect(() => view({ a: 'x'.repeat(501) }).read('a')).toThrow(/limit for one file is 500/);
  const files = view({ a: 'x'.repeat(400), b: 'x'.repeat(400), c: 'x'.repeat(400) });
  files.read('a');
  files.read('a');
  files.read('b');
  expect(() => files.read('c')).toThrow(/more than 1000 bytes together/);
});

it('tells files, directories and nothing apart', () => {
  const files = view({ 'd/f': 'x' });
  expect([files.stat('d'), files.stat('d/f'), files.stat('d/g'), files.stat('d/f/g')]).toEqual([
    'dir',
    'file',
    undefined,
    undefined,
  ]);
  expect(files.read('d')).toBeUndefined();
  expect(files.reads()).toEqual({ files: ['d/f'], dirs: [], absent: ['d/f/g', 'd/g'] });
});

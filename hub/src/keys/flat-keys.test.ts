import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../command-line.ts';
import { Keys } from './keys.ts';

const FILES = [
  'ca.crt',
  'ca.key',
  'keyset.json',
  'render-seed.key',
  'root.key',
  'sealing.json',
  'signing-assignment-1.key',
  'signing-command-1.key',
];
const script = new URL('../../../charts/muster-hub/files/keys.sh', import.meta.url).pathname;

describe('keys in the flat form of a Secret', () => {
  let work: string;
  let folder: string;
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'muster-flat-'));
    folder = join(work, 'keys');
  });
  afterEach(() => rmSync(work, { recursive: true, force: true }));

  /** As the chart's init container does it, with its very script. */
  async function mapped(): Promise<string> {
    const target = join(work, 'mapped');
    await promisify(execFile)('sh', [script, folder, target]);
    return target;
  }

  it('are made once, private, and never overwritten', async () => {
    expect(await runCommand(['keys', 'init', '--out', folder])).toMatch(/--from-file=DIR.*\n.*backup/);
    expect(readdirSync(folder).sort()).toEqual(FILES);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of FILES) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    const root = readFileSync(join(folder, 'root.key'));
    await expect(runCommand(['keys', 'init', '--out', folder])).rejects.toMatchObject({ code: 'conflict' });
    expect(readFileSync(join(folder, 'root.key'))).toEqual(root);
  });

  it('open as a hub, once the chart has mapped them', async () => {
    await runCommand(['keys', 'init', '--out', folder]);
    const target = await mapped();
    expect(statSync(join(target, 'root.key')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(target, 'signing')).sort()).toEqual(['assignment-1.key', 'command-1.key']);
    const keys = await Keys.open(target, false);
    expect(keys.active).toEqual({ assignment: 'assignment-1', command: 'command-1' });
  });

  it('are not made in a folder that holds something else', async () => {
    await expect(runCommand(['keys', 'init', '--out', work])).resolves.toBeDefined();
    rmSync(work, { recursive: true });
    work = mkdtempSync(join(tmpdir(), 'muster-flat-'));
    writeFileSync(join(work, 'mine'), 'x');
    await expect(runCommand(['keys', 'init', '--out', work])).rejects.toThrow('it holds mine');
    expect(readdirSync(work)).toEqual(['mine']);
  });

  it('rotate without a hub: the old ones sign until the new ones are activated', async () => {
    await runCommand(['keys', 'init', '--out', folder]);
    await runCommand(['keys', 'rotate', '--in', folder]);
    const staged = await Keys.open(await mapped(), false);
    expect([staged.keySetVersion, staged.rotating, staged.active.assignment]).toEqual([
      2n,
      true,
      'assignment-1',
    ]);
    await expect(runCommand(['keys', 'rotate', '--in', folder])).rejects.toMatchObject({
      code: 'precondition',
    });
    await runCommand(['keys', 'activate', '--in', folder]);
    const active = await Keys.open(await mapped(), false);
    expect([active.rotating, active.active.assignment]).toEqual([false, 'assignment-2']);
    expect(active.publishedIds).toContain('assignment-1');
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('leave the folder alone when it is not one of keys', async () => {
    await expect(runCommand(['keys', 'rotate', '--in', folder])).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('the command line of the hub', () => {
  it('serves without arguments, explains itself, and refuses what it does not know', async () => {
    expect(await runCommand([])).toBeUndefined();
    expect(await runCommand(['--help'])).toContain('hub keys init --out DIR');
    expect(await runCommand(['--version'])).toMatch(/^muster-hub \d+\.\d+\.\d+\n$/);
    await expect(runCommand(['keys'])).rejects.toThrow('"keys" is not a command');
    await expect(runCommand(['keys', 'init'])).rejects.toThrow('needs --out DIR');
    await expect(runCommand(['--loud'])).rejects.toThrow('--loud');
  });
});

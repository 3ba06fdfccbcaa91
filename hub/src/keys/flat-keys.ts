import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { openKeyFolder } from './key-folder.ts';
import { Keys } from './keys.ts';

/** `signing/ID.key` in a folder without folders, as a Kubernetes Secret is one. */
const SIGNING_PREFIX = 'signing-';

/** What was made or changed, for the one who ran the command. */
export interface KeysReport {
  folder: string;
  hubId: string;
  caSha256: string;
  keySetVersion: bigint;
  rotating: boolean;
}

/**
 * Makes the keys of a new hub in `out` (0700, files 0600), flat, so that `--from-file=out` makes the Secret of the chart.
 * @throws MusterError conflict when the folder holds anything: keys are never overwritten.
 */
export async function initFlatKeys(out: string): Promise<KeysReport> {
  await mkdir(out, { recursive: true, mode: 0o700 });
  const [found] = await readdir(out);
  if (found !== undefined) {
    throw new MusterError('conflict', `the folder is not empty: it holds ${found}`, {
      where: out,
      hint: 'keys are never overwritten; name a folder that is empty or does not exist',
    });
  }
  await chmod(out, 0o700);
  return inNestedForm(out, async (nested) => {
    await openKeyFolder(nested, true);
    return report(out, await Keys.open(nested, false));
  });
}

/** Adds the next signing keys to a flat folder; what signs now goes on until `activateFlatKeys`. */
export async function rotateFlatKeys(folder: string): Promise<KeysReport> {
  return change(folder, async (keys) => {
    if (keys.rotating) {
      throw new MusterError('precondition', `key set ${keys.keySetVersion} does not sign yet`, {
        where: folder,
        hint: 'activate it first, once every cluster has acknowledged it',
      });
    }
    // All that is in the set stays: offline nobody knows which keys are still in use.
    await keys.stageRotation([...keys.publishedIds]);
  });
}

/** The newest keys of a flat folder sign from the next start on. */
export async function activateFlatKeys(folder: string): Promise<KeysReport> {
  return change(folder, async (keys) => {
    if (!keys.rotating) {
      throw new MusterError('precondition', 'the newest keys sign already', { where: folder });
    }
    await keys.activate();
  });
}

async function change(folder: string, act: (keys: Keys) => Promise<void>): Promise<KeysReport> {
  await access(join(folder, 'root.key'), constants.R_OK).catch((cause: unknown) => {
    throw new MusterError('not-found', 'there is no keys folder: it lacks root.key', {
      where: folder,
      cause,
    });
  });
  return inNestedForm(folder, async (nested) => {
    const keys = await Keys.open(nested, false);
    await act(keys);
    return report(folder, keys);
  });
}

function report(folder: string, keys: Keys): KeysReport {
  const { hubId, caSha256, keySetVersion, rotating } = keys;
  return { folder, hubId, caSha256, keySetVersion, rotating };
}

/** Works on a nested copy inside the folder and puts its files back flat; when the work fails nothing has changed. */
async function inNestedForm<T>(flat: string, work: (nested: string) => Promise<T>): Promise<T> {
  const nested = await mkdtemp(join(flat, '.keys-'));
  try {
    await mkdir(join(nested, 'signing'), { mode: 0o700 });
    for (const entry of await readdir(flat, { withFileTypes: true })) {
      if (entry.isDirectory() || entry.name.startsWith('.')) continue;
      const copy = join(nested, nestedName(entry.name));
      await copyFile(join(flat, entry.name), copy);
      await chmod(copy, 0o600);
    }
    const answer = await work(nested);
    for (const name of await readdir(join(nested, 'signing'))) {
      await rename(join(nested, 'signing', name), join(flat, `${SIGNING_PREFIX}${name}`));
    }
    await rm(join(nested, 'signing'), { recursive: true });
    // The key set goes last: it names the others.
    const names = (await readdir(nested)).sort(
      (a, b) => Number(a === 'keyset.json') - Number(b === 'keyset.json'),
    );
    for (const name of names) await rename(join(nested, name), join(flat, name));
    return answer;
  } finally {
    await rm(nested, { recursive: true, force: true });
  }
}

function nestedName(name: string): string {
  return name.startsWith(SIGNING_PREFIX) ? join('signing', name.slice(SIGNING_PREFIX.length)) : name;
}

import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyRecord } from '@muster/link';
import { KeySet } from '@muster/proto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Keys } from './keys.ts';

const payload = Buffer.from('what is signed');

describe('the keys folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is filled once, readable by its owner alone', async () => {
    const first = await Keys.open(folder);
    const again = await Keys.open(folder);
    expect(again.hubId).toBe(first.hubId);
    expect(again.caSha256).toBe(first.caSha256);
    expect(again.keySet()).toEqual(first.keySet());
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(file.parentPath, file.name));
      expect((mode & 0o777).toString(8)).toBe(file.isDirectory() ? '700' : '600');
    }
  });

  it('is not made up where a part of it is missing', async () => {
    await Keys.open(folder);
    await rm(join(folder, 'root.key'));
    await expect(Keys.open(folder)).rejects.toThrow('lacks root.key');
  });

  it('is refused when everyone can read the root key', async () => {
    await Keys.open(folder);
    await chmod(join(folder, 'root.key'), 0o644);
    await expect(Keys.open(folder)).rejects.toThrow('every user');
  });

  it('is refused when a signing key is not the one of the key set', async () => {
    await Keys.open(folder);
    const other = await mkdtemp(join(tmpdir(), 'muster-keys-'));
    await Keys.open(other);
    const { readFile } = await import('node:fs/promises');
    await writeFile(
      join(folder, 'signing/command-1.key'),
      await readFile(join(other, 'signing/command-1.key')),
    );
    await rm(other, { recursive: true });
    await expect(Keys.open(folder)).rejects.toThrow('command-1 is not in the key set');
  });
});

describe('signing', () => {
  let folder: string;
  let keys: Keys;
  const publicKey = (id: string) =>
    KeySet.decode(keys.keySet().payload).keys.find((key) => key.id === id)!.publicKey;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-keys-'));
    keys = await Keys.open(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('uses the key of its use, found in a key set that the root key signed', () => {
    verifyRecord('muster.keyset.v1', keys.keySet(), keys.rootPublicKey);
    const signed = keys.sign('muster.command.v1', payload, 'command');
    expect(signed.keyId).toBe('command-1');
    verifyRecord('muster.command.v1', signed, publicKey('command-1'));
    expect(() => verifyRecord('muster.assignment.v1', signed, publicKey('command-1'))).toThrow();
    expect(keys.isOurs('muster.command.v1', signed)).toBe(true);
    expect(keys.isOurs('muster.assignment.v1', signed)).toBe(false);
  });

  it('is refused while the hub is in recovery, except of registrations', () => {
    keys.halt('an agent knows more');
    expect(() => keys.sign('muster.assignment.v1', payload, 'assignment')).toThrow('in recovery');
    expect(keys.signRegistration(payload).keyId).toBe('assignment-1');
    keys.halt(undefined);
    expect(keys.sign('muster.assignment.v1', payload, 'assignment').keyId).toBe('assignment-1');
  });

  it('goes on with the old keys after a rotation is staged, over a restart, until it is activated', async () => {
    expect(await keys.stageRotation([])).toBe(2n);
    keys = await Keys.open(folder);
    expect(keys.rotating).toBe(true);
    expect(keys.sign('muster.assignment.v1', payload, 'assignment').keyId).toBe('assignment-1');
    await keys.activate();
    keys = await Keys.open(folder);
    expect(keys.rotating).toBe(false);
    const signed = keys.sign('muster.assignment.v1', payload, 'assignment');
    expect(signed.keyId).toBe('assignment-2');
    verifyRecord('muster.assignment.v1', signed, publicKey('assignment-2'));
  });

  it('drops keys that nothing uses any more, and still knows what they signed', async () => {
    const old = keys.signRegistration(payload);
    await keys.stageRotation([]);
    await keys.activate();
    await keys.stageRotation([]);
    const ids = KeySet.decode(keys.keySet().payload).keys.map((key) => key.id);
    expect(ids).toEqual(['assignment-2', 'command-2', 'assignment-3', 'command-3']);
    expect(keys.isOurs('muster.registration.v1', old)).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { MASK } from '../redact.ts';
import { ChangeGroups, patternOf } from './change-groups.ts';
import { type ObjectChange, objectChanges } from './object-changes.ts';

const configMap = (name: string, data: Record<string, unknown>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data,
});
const secret = (data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', namespace: 'shop' },
  stringData: data,
});

describe('objectChanges', () => {
  it('says which lines of which object change, whatever the order of members and objects', () => {
    const before = [configMap('b', { x: '1' }), configMap('a', { colour: 'blue', size: '3' })];
    const after = [configMap('a', { size: '3', colour: 'green' }), configMap('b', { x: '1' })];
    expect(objectChanges(before, after)).toEqual([
      {
        action: 'changed',
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'shop',
        name: 'a',
        text: "   name: a\n   namespace: shop\n data:\n-  colour: blue\n+  colour: green\n   size: '3'",
        added: 1,
        removed: 1,
      },
    ]);
  });

  it('shows an object that comes and one that goes', () => {
    const changes = objectChanges([configMap('a', {})], [configMap('b', {})]);
    expect(changes.map(({ action, name, added, removed }) => [action, name, added, removed])).toEqual([
      ['removed', 'a', 0, 6],
      ['added', 'b', 6, 0],
    ]);
  });

  it('masks the values of a Secret and says which of them changed', () => {
    const [change] = objectChanges(
      [secret({ password: 'hunter22', user: 'admin-user' })],
      [secret({ password: 'tr0ub4dor', user: 'admin-user' })],
    );
    expect(change!.text).toContain(`-  password: ${MASK} (before)\n+  password: ${MASK} (after)`);
    expect(change!.text).not.toMatch(/hunter22|tr0ub4dor|admin-user/);
    expect(change!.added).toBe(1);
  });

  it('masks what ends in a Secret wherever else it stands, on both sides', () => {
    const changes = objectChanges(
      [
        secret({ password: 'hunter22' }),
        configMap('a', { url: 'postgres://u:hunter22@db', 'k-hunter22': 'x' }),
      ],
      [secret({ password: 'tr0ub4dor' }), configMap('a', { url: 'postgres://u:tr0ub4dor@db' })],
    );
    expect(changes).toHaveLength(2);
    expect(JSON.stringify(changes)).not.toMatch(/hunter22|tr0ub4dor/);
    expect(changes[0]!.text).toContain(`postgres://u:${MASK}@db (before)`);
    expect(changes[0]!.text).toContain(`postgres://u:${MASK}@db (after)`);
  });

  it('never loses a change and never shows a secret', () => {
    const value = fc.string({ minLength: 6, maxLength: 12, unit: fc.constantFrom(...'qwxyzQWXYZ789') });
    const data = fc.dictionary(fc.constantFrom('p', 'q', 'r'), value, { minKeys: 1 });
    fc.assert(
      fc.property(data, data, (before, after) => {
        const copy = (of: Record<string, string>) => configMap('copy', { list: Object.values(of), of });
        const changes = objectChanges([secret(before), copy(before)], [secret(after), copy(after)]);
        const same =
          JSON.stringify(Object.entries(before).sort()) === JSON.stringify(Object.entries(after).sort());
        if (!same) expect(changes.some(({ kind }) => kind === 'Secret')).toBe(true);
        const shown = JSON.stringify(changes);
        for (const one of [...Object.values(before), ...Object.values(after)])
          expect(shown).not.toContain(one);
      }),
    );
  });
});

const change = (text: string): ObjectChange => ({
  action: 'changed',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: '',
  name: 'a',
  text,
  added: 1,
  removed: 1,
});

describe('ChangeGroups', () => {
  it('joins what is the same, and what differs in nothing but its own names', () => {
    const groups = new ChangeGroups<string>();
    for (const name of ['eu-1', 'us-2', 'ap-3'])
      groups.add(name, [change(`-a: ${name}\n+b: ${name}`)], [name]);
    groups.add('odd', [change('-a: x\n+b: x')], ['odd']);
    expect(groups.groups().map(({ members, alike }) => [members, alike])).toEqual([
      [['eu-1', 'us-2', 'ap-3'], 'but for names'],
      [['odd'], 'exactly'],
    ]);
  });

  it('does not take a group apart for a member whose name happens to be a word of it', () => {
    const groups = new ChangeGroups<string>();
    for (const name of ['eu-1', 'prod', 'us-2']) groups.add(name, [change('-env: dev\n+env: prod')], [name]);
    expect(groups.groups().map(({ members, alike }) => [members, alike])).toEqual([
      [['eu-1', 'prod', 'us-2'], 'exactly'],
    ]);
  });

  it('joins nobody to a group in which not all differ from them by their names alone', () => {
    const groups = new ChangeGroups<string>();
    for (const name of ['eu-1', 'prod']) groups.add(name, [change('+env: prod')], [name]);
    groups.add('us-2', [change('+env: us-2')], ['us-2']);
    expect(groups.groups().map(({ members }) => members)).toEqual([['eu-1', 'prod'], ['us-2']]);
  });

  it('leaves changes out beyond its room and still counts everyone', () => {
    const groups = new ChangeGroups<number>(100);
    for (let i = 0; i < 50; i++) groups.add(i, [change(`+${'x'.repeat(i + 1)}`)], []);
    const found = groups.groups();
    expect(found.flatMap(({ members }) => members)).toHaveLength(50);
    expect(found.filter(({ omitted }) => omitted).length).toBeGreaterThan(40);
    expect(found.every(({ added }) => added === 1)).toBe(true);
  });

  it('loses nothing: everyone is in one group, whose change is their own but for their names', () => {
    const word = fc.constantFrom('eu', 'us', 'eu-1', 'prod', 'a', 'x.y', '');
    const line = fc.array(word, { maxLength: 4 }).map((words) => `+${words.join(' ')}`);
    const members = fc.array(
      fc.record({ names: fc.uniqueArray(word, { maxLength: 2 }), lines: fc.array(line, { maxLength: 3 }) }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(members, fc.boolean(), (all, small) => {
        const groups = new ChangeGroups<number>(small ? 60 : undefined);
        all.forEach(({ names, lines }, i) => groups.add(i, [change(lines.join('\n'))], names));
        const found = groups.groups();
        expect(found.flatMap((group) => group.members).sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
        for (const group of found) {
          if (group.omitted) continue;
          const shown = group.changes[0]!.text;
          const texts = group.members.map((i) => all[i]!.lines.join('\n'));
          expect(texts[0]).toBe(shown);
          if (group.alike === 'exactly') expect(new Set(texts)).toEqual(new Set([shown]));
          else {
            const patterns = group.members.map((i) => patternOf(all[i]!.lines.join('\n'), all[i]!.names));
            expect(new Set(patterns).size).toBe(1);
          }
        }
      }),
    );
  });

  it('puts names back where a pattern left them open', () => {
    const word = fc.constantFrom('eu', 'eu-1', 'prod', 'web', 'web-eu-1', '/', '_', ' ');
    fc.assert(
      fc.property(fc.array(word), fc.uniqueArray(word, { maxLength: 3 }), (words, names) => {
        const text = words.join('');
        const back = patternOf(text, names).replace(
          /\u0001(\d+)\u0001/g,
          (_, place: string) => names[Number(place)]!,
        );
        expect(back).toBe(text);
      }),
    );
  });
});

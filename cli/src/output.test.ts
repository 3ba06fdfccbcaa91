import { describe, expect, it } from 'vitest';
import { age, fields, paintState, printList, table, type View } from './output.ts';
import { recordingTerminal } from './testing/terminal.ts';

interface Row {
  name: string;
  state?: string;
}
const view: View<Row> = {
  name: ({ name }) => name,
  columns: [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'STATE', value: ({ state }) => state, paint: paintState },
    { title: 'EXTRA', value: () => 'x', wide: true },
  ],
};
const rows: Row[] = [{ name: 'a-long-name', state: 'Healthy' }, { name: 'b' }];

function printed(format: Parameters<typeof printList>[1], items = rows) {
  const terminal = recordingTerminal();
  printList(terminal, format, items, view, 'Nothing.');
  return terminal;
}

describe('output', () => {
  it('aligns columns, writes - for what is absent, and ends no line in blanks', () => {
    expect(printed('table').output).toBe('NAME          STATE\na-long-name   Healthy\nb             -\n');
  });

  it('shows more columns with wide', () => {
    expect(printed('wide').output.split('\n')[0]).toBe('NAME          STATE     EXTRA');
  });

  it('writes plain lists as JSON, YAML and names', () => {
    expect(JSON.parse(printed('json').output)).toEqual(rows);
    expect(printed('yaml').output).toBe('- name: a-long-name\n  state: Healthy\n- name: b\n');
    expect(printed('name').output).toBe('a-long-name\nb\n');
  });

  it('tells people that there is nothing, and programs an empty list', () => {
    expect(printed('table', [])).toMatchObject({ output: '', notes: 'Nothing.\n' });
    expect(printed('json', []).output).toBe('[]\n');
  });

  it('colours states only where colours are asked for, without moving columns', () => {
    const plain = table(rows, view.columns, false);
    const painted = table(rows, view.columns, true);
    expect(painted).toContain('\u001b[32mHealthy\u001b[0m');
    // oxlint-disable-next-line no-control-regex
    expect(painted.replace(/\u001b\[\d+m/g, '')).toBe(plain);
  });

  it('lets no text from elsewhere steer the terminal', () => {
    const text = table([{ name: 'a\u001b[2J\nb' }], view.columns, false);
    expect(text).not.toContain('\u001b');
    expect(text.split('\n')).toHaveLength(2);
    expect(fields([['Message', 'x\u001b]0;y\u0007']])).toBe('Message:  x ]0;y ');
  });

  it.each([
    [5, '5s'],
    [119, '119s'],
    [120, '2m'],
    [7200, '2h'],
    [200_000, '2d'],
    [-5, '0s'],
  ])('calls %d seconds ago %s', (seconds, text) => {
    expect(age(new Date(1e12 - seconds * 1000).toISOString(), 1e12)).toBe(text);
  });
});

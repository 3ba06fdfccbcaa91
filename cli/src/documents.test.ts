import { MusterError } from '@muster/base';
import { describe, expect, it } from 'vitest';
import { locateProblem, readDocuments } from './documents.ts';
import { recordingTerminal } from './testing/terminal.ts';

describe('documents', () => {
  it('come from standard input, lists taken apart, with the line each begins at', async () => {
    const terminal = recordingTerminal(
      'kind: A\n---\nkind: List\nitems:\n  - kind: B\n  - kind: C\n---\n# nothing\n',
    );
    const documents = await readDocuments(['-'], { terminal });
    expect(documents.map(({ value, where }) => [value['kind'], where])).toEqual([
      ['A', '<stdin>:1'],
      ['B', '<stdin>:3'],
      ['C', '<stdin>:3'],
    ]);
  });

  it('are refused with file and line when they are none', async () => {
    const read = readDocuments(['-'], { terminal: recordingTerminal('kind: A\n---\njust text\n') });
    await expect(read).rejects.toMatchObject({ where: '<stdin>:3' });
    await expect(readDocuments(['/no/such/file'], { terminal: recordingTerminal() })).rejects.toMatchObject({
      where: '/no/such/file',
    });
  });

  it('are named by file and line where the hub names them', () => {
    const pod = { value: { kind: 'Pod', metadata: { name: 'x' } }, where: 'a.yaml:3' };
    const error = new MusterError('invalid', 'no pods here', { where: 'Pod x' });
    expect(locateProblem(error, [{ value: {}, where: 'a.yaml:1' }, pod]).describe()).toBe(
      'a.yaml:3: Pod x: no pods here',
    );
    const other = new MusterError('invalid', 'no pods here', { where: 'Pod x-2' });
    expect(locateProblem(other, [pod]).describe()).toBe('Pod x-2: no pods here');
  });

  it('are named by file and line where the hub counts them', () => {
    const documents = ['a.yaml:1', 'a.yaml:9'].map((where) => ({ value: {}, where }));
    const one = new MusterError('invalid', 'is missing', { where: 'documents[1].spec.project' });
    expect(locateProblem(one, documents).describe()).toBe('a.yaml:9: spec.project: is missing');
    const many = new MusterError('invalid', 'documents[0]: bad\ndocuments[1].kind: worse', {
      where: 'documents',
    });
    expect(locateProblem(many, documents).describe()).toBe('a.yaml:1: bad\na.yaml:9: kind: worse');
  });
});

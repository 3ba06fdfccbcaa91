import { readFile } from 'node:fs/promises';

/** User and system time of all threads; the unit of the file is a hundredth of a second everywhere. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => {
    throw new Error('the processor time of a process can only be read on Linux');
  });
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

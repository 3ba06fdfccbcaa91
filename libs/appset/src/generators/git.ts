import type { Context } from '../context.ts';
import type { Params } from '../params.ts';
import type { GitGenerator } from '../types.ts';
import { missingInput } from '../context.ts';

export async function gitParameters(
  _generator: GitGenerator,
  _context: Context,
  where: string,
): Promise<Params[]> {
  throw missingInput('a repository', where);
}

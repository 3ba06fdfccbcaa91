import { ExpansionError } from './errors.ts';

/** What one expansion may come to. Far beyond what a hub keeps, so that only what explodes meets it. */
export const BOUNDS = {
  applications: 100_000,
  /** Parameter sets of one generator, those of its children counted as they are made. */
  parameterSets: 100_000,
  /** Characters of one field; a Kubernetes object cannot be larger than 1.5 MiB. */
  fieldLength: 4 << 20,
  /** Characters of all fields and values with placeholders, over all Applications. */
  textLength: 256 << 20,
};

/** Counts what templates print, over a whole expansion. */
export class Output {
  #left = BOUNDS.textLength;

  /** Counts a row; answers the first text that is too large, alone or together with all before it. */
  exceededBy(row: readonly string[]): number | undefined {
    for (let i = 0; i < row.length; i++) {
      const { length } = row[i]!;
      this.#left -= length;
      if (length > BOUNDS.fieldLength || this.#left < 0) return i;
    }
    return undefined;
  }

  /** Why `exceededBy` named this text. */
  reason({ length }: string): string {
    return length > BOUNDS.fieldLength
      ? `the field is larger than ${BOUNDS.fieldLength >> 20} MiB`
      : `the fields of all Applications are larger than ${BOUNDS.textLength >> 20} MiB together`;
  }
}

/** @throws ExpansionError `limit` at `where` when a generator has come to more parameter sets than may be. */
export function checkSets(count: number, where: string): void {
  if (count <= BOUNDS.parameterSets) return;
  throw new ExpansionError(
    'ApplicationGenerationFromParamsError',
    `the generator makes more than ${BOUNDS.parameterSets.toLocaleString('en')} parameter sets`,
    where,
    'limit',
  );
}

/** @throws ExpansionError `limit` when a set has come to more Applications than may be. */
export function checkApplications(count: number, where: string): void {
  if (count <= BOUNDS.applications) return;
  throw new ExpansionError(
    'ApplicationGenerationFromParamsError',
    `the ApplicationSet makes more than ${BOUNDS.applications.toLocaleString('en')} Applications`,
    where,
    'limit',
  );
}

/** Something that somebody may ask, as a button: `refused` says why it cannot be pressed. */
export interface Offer<Ask> {
  ask: Ask;
  label: string;
  danger: boolean;
  refused?: string;
}

/** Why somebody without a role cannot press a button. `project` is empty where all of them are meant. */
export function needsRole(role: string, project: string): string {
  return `This needs the role ${role} ${project === '' ? 'of all projects' : `of the project ${project}`}.`;
}

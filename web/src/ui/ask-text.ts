/** What a dialog says before anything is done. */
export interface AskText {
  title: string;
  /** On the button that does it. */
  label: string;
  /** What will happen, and to whom. */
  says: string[];
  needsReason: boolean;
  /** False: no reason is kept, so none is asked for. */
  asksReason?: boolean;
  /** It takes something away. */
  danger?: boolean;
}

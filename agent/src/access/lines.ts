/** Makes lines of text of pieces of bytes, wherever those are cut; lines longer than `max` bytes lose their end. */
export class LineSplitter {
  private readonly max: number;
  private rest = Buffer.alloc(0);
  private cut = false;

  constructor(max: number) {
    this.max = max;
  }

  /** Lines that are whole by now, without their ends. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(10, from); at >= 0; at = chunk.indexOf(10, from)) {
      this.take(chunk.subarray(from, at));
      lines.push(this.line());
      from = at + 1;
    }
    this.take(chunk.subarray(from));
    return lines;
  }

  /** What came after the last end of a line. */
  end(): string[] {
    return this.rest.length > 0 ? [this.line()] : [];
  }

  private take(bytes: Buffer): void {
    const room = this.max - this.rest.length;
    if (bytes.length > room) this.cut = true;
    if (room > 0 && bytes.length > 0) this.rest = Buffer.concat([this.rest, bytes.subarray(0, room)]);
  }

  private line(): string {
    const text = this.rest.toString('utf8').replace(/\r$/, '');
    const line = this.cut ? `${text.replace(/\ufffd+$/, '')}…` : text;
    this.rest = Buffer.alloc(0);
    this.cut = false;
    return line;
  }
}

/** What `ipmitool sdr -v` prints of sensors: a paragraph for each, with a name and a value on each line. */

export interface Sensor {
  /** As ipmitool has it, `Fan 1A (0x30)`. */
  readonly id: string;
  readonly value: number;
  /** In short, `C` or `W`. */
  readonly unit: string;
  readonly normalMaximum: string | undefined;
}

export interface Parsed {
  readonly sensors: readonly Sensor[];
  /** Paragraphs that are no sensor, and readings that are no number, in the words of ipmitool. */
  readonly strange: readonly string[];
}

const READING = /^(-?\d+(?:\.\d+)?)(?:\s+\(\+\/-\s[^)]*\))?\s+(\S.*)$/;
/** Sensors that say nothing now, and those that have states in place of a value. */
const NOTHING = /^(disabled|no reading|not present|not available|unknown|na|0x?[0-9a-f]*h?)$/i;
const UNITS: ReadonlyMap<string, string> = new Map([
  ['Watts', 'W'],
  ['Volts', 'V'],
]);

export function parseSensors(output: string): Parsed {
  const sensors: Sensor[] = [];
  const strange: string[] = [];
  for (const paragraph of output.replaceAll('\r', '').split(/\n\s*\n/)) {
    if (paragraph.trim() === '') continue;
    const fields = fieldsOf(paragraph);
    const id = fields.get('Sensor ID');
    const reading = fields.get('Sensor Reading');
    if (id === undefined) {
      strange.push(paragraph.trim().slice(0, 80));
    } else if (reading !== undefined && !NOTHING.test(reading)) {
      const [, number, unit = ''] = READING.exec(reading) ?? [];
      if (number === undefined) strange.push(`${id}: ${reading}`.slice(0, 80));
      else
        sensors.push({ id, value: Number(number), unit: shortUnit(unit), normalMaximum: fields.get('Normal Maximum') });
    }
  }
  return { sensors, strange };
}

function fieldsOf(paragraph: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of paragraph.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return fields;
}

/** `degrees C` is `C`. */
function shortUnit(unit: string): string {
  const last = unit.trim().split(/\s+/).at(-1) ?? '';
  return UNITS.get(last) ?? last;
}

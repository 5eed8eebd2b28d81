interface Variations {
  writerModel?: string;
  /** A further line of the last task, such as `human_input: true`. */
  lastTaskField?: string;
}

export function twoTasks(model: string, name: string, variations?: Variations): string;
export function everyType(model: string, name: string, extraInputs?: string): string;

/** What can lie over any page; one at a time. */
export type Overlay = "drawer" | "palette" | "shortcuts";

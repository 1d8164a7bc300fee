/**
 * A card dragged with a finger or a pen by its handle: browsers drag with the mouse alone. The handle takes no part in
 * scrolling (`touch-action: none`), so that the rest of the card still does; a tap on it stays a click.
 */
import { useEffect, useRef, useState, type PointerEvent } from "react";

const SLOP = 8;
/** From this near to the board's edge on it scrolls, this far each frame. */
const EDGE = 48;
const STEP = 10;

interface Drag {
  x: number;
  y: number;
  left: number;
  board: HTMLElement;
  at: { x: number; y: number };
  lifted: boolean;
}

export interface Handlers {
  /** The scrolling board around an element. */
  boardOf: (from: HTMLElement) => HTMLElement | null;
  onLift: () => void;
  /** What is under the finger when it leaves; null: nothing, or the drag was broken off. */
  onDrop: (under: Element | null) => void;
}

export function useTouchDrag({ boardOf, onLift, onDrop }: Handlers) {
  const drag = useRef<Drag | null>(null);
  const frame = useRef(0);
  const [shift, setShift] = useState<{ x: number; y: number } | null>(null);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const follow = () => {
    const one = drag.current;
    if (!one?.lifted) return;
    const { left, right } = one.board.getBoundingClientRect();
    if (one.at.x < left + EDGE) one.board.scrollLeft -= STEP;
    else if (one.at.x > right - EDGE) one.board.scrollLeft += STEP;
    setShift({ x: one.at.x - one.x + one.board.scrollLeft - one.left, y: one.at.y - one.y });
    frame.current = requestAnimationFrame(follow);
  };
  const end = (under: Element | null) => {
    const lifted = drag.current?.lifted;
    drag.current = null;
    cancelAnimationFrame(frame.current);
    setShift(null);
    if (lifted) onDrop(under);
  };

  return {
    /** How far the card is from its place; null while it is not dragged. */
    shift,
    handle: {
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        const board = event.pointerType === "mouse" || !event.isPrimary ? null : boardOf(event.currentTarget);
        if (board === null) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const at = { x: event.clientX, y: event.clientY };
        drag.current = { ...at, at, left: board.scrollLeft, board, lifted: false };
      },
      onPointerMove: ({ clientX: x, clientY: y }: PointerEvent) => {
        const one = drag.current;
        if (one === null) return;
        one.at = { x, y };
        if (one.lifted || Math.hypot(x - one.x, y - one.y) < SLOP) return;
        one.lifted = true;
        onLift();
        follow();
      },
      onPointerUp: ({ clientX, clientY }: PointerEvent) => end(document.elementFromPoint(clientX, clientY)),
      onPointerCancel: () => end(null),
    },
  };
}

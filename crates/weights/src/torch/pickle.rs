//! Python pickles, read and never executed.
//!
//! A pickle is a program for a small machine that may call any Python function. This machine
//! knows the instructions that `torch.save` and NumPy write, makes values of the few
//! [`Global`](crate::torch::pickle_globals::Global)s that a dict of tensors consists of, and refuses every other one by its name. Values refer to
//! each other by index, so that neither nesting nor cycles cost a stack; what they take is
//! bounded by [`MAX_VALUES`] and [`MAX_TEXT`]. Numbers of NumPy arrays stay in the file.
//!
//! Burn's own reader (`pytorch-reader` 0.22) is bounded too. It is not used here because it passes
//! over what it does not know, where a refusal says what the file is; because it keeps a dict in
//! no order, and the order tells how the layers of a head follow each other; and because it reads
//! no NumPy arrays, as which VGGFace2's networks are published.

use std::collections::HashMap;

use crate::torch::pickle_globals as globals;
use crate::torch::pickle_source::Source;
use crate::torch::pickle_value::{Bytes, Id, Refusal, Value, damaged};

/// Values of one pickle.
const MAX_VALUES: usize = 1_000_000;

/// Instructions of one pickle. A ResNet50's has 11,000.
const MAX_INSTRUCTIONS: usize = 8_000_000;

/// Bytes in all strings of one pickle.
const MAX_TEXT: u64 = 32 << 20;

/// The longest string that is read; a longer one is data.
pub(crate) const LONGEST_TEXT: u64 = 64 << 10;

/// `torch.serialization.MAGIC_NUMBER`, little-endian: the first value of a legacy file.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// What a pickle holds.
pub(crate) struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// Reads one pickle, to its end.
    pub(crate) fn read(source: &mut Source) -> Result<Self, Refusal> {
        let mut machine = Machine {
            source,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            text: 0,
        };
        for _ in 0..MAX_INSTRUCTIONS {
            let code = machine.source.byte()?;
            if code == b'.' {
                let root = machine.pop()?;
                return Ok(Self { values: machine.values, root });
            }
            machine.step(code)?;
        }
        damaged("it has too many instructions")
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn root(&self) -> Id {
        self.root
    }

    pub(crate) fn get(&self, id: Id) -> &Value {
        self.values.get(id as usize).unwrap_or(&Value::Other)
    }

    /// The text of a string.
    pub(crate) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text, _) => text.as_deref(),
            _ => None,
        }
    }
}

/// The pickle machine: a stack, a memo, and all values that were made.
pub(crate) struct Machine<'a> {
    source: &'a mut Source,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    text: u64,
}

impl Machine<'_> {
    fn step(&mut self, code: u8) -> Result<(), Refusal> {
        match code {
            // PROTO and FRAME say nothing that is needed.
            0x80 => self.source.skip(1)?,
            0x95 => self.source.skip(8)?,
            b'(' => self.mark()?,
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => self.stack_push(self.top()?)?,
            b'N' => self.push(Value::Other)?,
            0x88 | 0x89 => self.push(Value::Int(i64::from(code == 0x88)))?,
            b'G' => {
                self.source.skip(8)?;
                self.push(Value::Other)?;
            }
            b'J' | b'K' | b'M' | 0x8a | 0x8b => self.integer(code)?,
            b'T' | b'U' | b'X' | 0x8c | 0x8d | b'B' | b'C' | 0x8e | 0x96 => self.string(code)?,
            b']' => self.push(Value::List(Vec::new()))?,
            b')' => self.push(Value::Tuple(Vec::new()))?,
            b'}' => self.push(Value::Dict(Vec::new()))?,
            0x8f => self.push(Value::Other)?,
            b't' | b'l' | b'd' | 0x91 => self.collect(code)?,
            0x85 => self.tuple_of(1)?,
            0x86 => self.tuple_of(2)?,
            0x87 => self.tuple_of(3)?,
            b'a' | b'e' | 0x90 | b's' | b'u' => self.add_items(code)?,
            b'h' | b'j' => {
                let key = self.key(code == b'h')?;
                let Some(&id) = self.memo.get(&key) else {
                    return damaged("it recalls what it never kept");
                };
                self.stack_push(id)?;
            }
            b'q' | b'r' => {
                let key = self.key(code == b'q')?;
                self.remember(key)?;
            }
            0x94 => self.remember(self.memo.len() as u32)?,
            b'c' | 0x93 => self.global(code)?,
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let value = globals::call(self, function, arguments)?;
                self.push(value)?;
            }
            b'b' => {
                let state = self.pop()?;
                globals::set_state(self, self.top()?, state)?;
            }
            b'Q' => {
                let id = self.pop()?;
                let value = globals::storage(self, id)?;
                self.push(value)?;
            }
            other => {
                return damaged(format!("instruction {other:#04x} is none that it should have"));
            }
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: Id) -> &Value {
        self.values.get(id as usize).unwrap_or(&Value::Other)
    }

    pub(crate) fn set(&mut self, id: Id, value: Value) {
        if let Some(place) = self.values.get_mut(id as usize) {
            *place = value;
        }
    }

    /// The elements of a tuple.
    pub(crate) fn tuple(&self, id: Id) -> Result<&[Id], Refusal> {
        match self.get(id) {
            Value::Tuple(items) => Ok(items),
            _ => damaged("a tuple is missing"),
        }
    }

    /// Takes the elements out of a list.
    pub(crate) fn take_list(&mut self, id: Id) -> Result<Vec<Id>, Refusal> {
        match self.values.get_mut(id as usize) {
            Some(Value::List(items)) => Ok(std::mem::take(items)),
            _ => damaged("a list is missing"),
        }
    }

    /// An integer that is not negative.
    pub(crate) fn size(&self, id: Id) -> Result<u64, Refusal> {
        match self.get(id) {
            Value::Int(value) => {
                u64::try_from(*value).or_else(|_| damaged("a size is missing or negative"))
            }
            _ => damaged("a size is missing or negative"),
        }
    }

    pub(crate) fn text(&self, id: Id) -> Result<&str, Refusal> {
        match self.get(id) {
            Value::Text(Some(text), _) => Ok(text),
            _ => damaged("a string is missing"),
        }
    }

    /// A name that many values may have a copy of.
    pub(crate) fn short_text(&self, id: Id) -> Result<&str, Refusal> {
        match self.text(id)? {
            text if text.len() <= 64 => Ok(text),
            _ => damaged("a name is too long"),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), Refusal> {
        if self.values.len() >= MAX_VALUES {
            return damaged("it holds too many values");
        }
        let id = self.values.len() as Id;
        self.values.push(value);
        self.stack_push(id)
    }

    fn stack_push(&mut self, id: Id) -> Result<(), Refusal> {
        if self.stack.len() >= MAX_VALUES {
            return damaged("its stack is too deep");
        }
        self.stack.push(id);
        Ok(())
    }

    /// Below this the stack belongs to an outer mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id, Refusal> {
        if self.stack.len() <= self.floor() {
            return damaged("its stack is empty");
        }
        Ok(self.stack.pop().unwrap_or_default())
    }

    fn top(&self) -> Result<Id, Refusal> {
        match self.stack.last() {
            Some(&id) if self.stack.len() > self.floor() => Ok(id),
            _ => damaged("its stack is empty"),
        }
    }

    fn mark(&mut self) -> Result<(), Refusal> {
        if self.marks.len() >= MAX_VALUES {
            return damaged("it nests too deep");
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// Makes the last values of the stack a tuple.
    fn tuple_of(&mut self, count: usize) -> Result<(), Refusal> {
        let first = self.stack.len().checked_sub(count).filter(|first| *first >= self.floor());
        let Some(first) = first else { return damaged("its stack is empty") };
        let items = self.stack.split_off(first);
        self.push(Value::Tuple(items))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Refusal> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => damaged("a mark is missing"),
        }
    }

    fn key(&mut self, short: bool) -> Result<u32, Refusal> {
        Ok(if short { self.source.byte()?.into() } else { self.source.number(4)? as u32 })
    }

    fn remember(&mut self, key: u32) -> Result<(), Refusal> {
        if self.memo.len() >= MAX_VALUES {
            return damaged("it keeps too many values");
        }
        let id = self.top()?;
        self.memo.insert(key, id);
        Ok(())
    }

    fn integer(&mut self, code: u8) -> Result<(), Refusal> {
        let value = match code {
            b'J' => Value::Int(i64::from(self.source.number(4)? as u32 as i32)),
            b'K' => Value::Int(self.source.number(1)?.cast_signed()),
            b'M' => Value::Int(self.source.number(2)?.cast_signed()),
            _ => {
                let length = self.source.number(if code == 0x8a { 1 } else { 4 })?;
                match length {
                    0 => Value::Int(0),
                    1..=8 => Value::Int(self.source.signed(length)?),
                    10 => match self.source.bytes(10)? {
                        bytes if bytes == MAGIC => Value::Magic,
                        _ => Value::Other,
                    },
                    _ => {
                        self.source.skip(length)?;
                        Value::Other
                    }
                }
            }
        };
        self.push(value)
    }

    fn string(&mut self, code: u8) -> Result<(), Refusal> {
        let width = match code {
            b'U' | 0x8c | b'C' => 1,
            b'T' | b'X' | b'B' => 4,
            _ => 8,
        };
        let length = self.source.number(width)?;
        let bytes = Bytes {
            start: self.source.position(),
            length,
            utf8: matches!(code, b'X' | 0x8c | 0x8d),
        };
        let text = if length <= LONGEST_TEXT {
            self.text = self.text.saturating_add(length);
            if self.text > MAX_TEXT {
                return damaged("its strings are too long");
            }
            String::from_utf8(self.source.bytes(length)?).ok()
        } else {
            self.source.skip(length)?;
            None
        };
        self.push(Value::Text(text, bytes))
    }

    fn collect(&mut self, code: u8) -> Result<(), Refusal> {
        let items = self.pop_to_mark()?;
        self.push(match code {
            b't' => Value::Tuple(items),
            b'l' => Value::List(items),
            b'd' => Value::Dict(pairs(&items)?),
            _ => Value::Other,
        })
    }

    fn add_items(&mut self, code: u8) -> Result<(), Refusal> {
        let items = match code {
            b'a' => vec![self.pop()?],
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                vec![key, value]
            }
            _ => self.pop_to_mark()?,
        };
        let target = self.top()? as usize;
        match (self.values.get_mut(target), code) {
            (Some(Value::List(list)), b'a' | b'e') => list.extend(items),
            (Some(Value::Dict(dict)), b's' | b'u') => dict.extend(pairs(&items)?),
            (Some(Value::Other), _) => {}
            _ => return damaged("it adds to what takes no items"),
        }
        Ok(())
    }

    fn global(&mut self, code: u8) -> Result<(), Refusal> {
        let name = if code == b'c' {
            let (module, name) = (self.source.line()?, self.source.line()?);
            format!("{module}.{name}")
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            format!("{}.{}", self.text(module)?, self.text(name)?)
        };
        match globals::find(&name) {
            Some(global) => self.push(Value::Global(global)),
            None => Err(Refusal::Forbidden(name)),
        }
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, Refusal> {
    match items.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
        _ => damaged("a key has no value"),
    }
}

"""The modules that functions can import: loaded before a process is shut in, for afterwards no file opens."""

import _strptime  # type: ignore[import-not-found]
import array
import asyncio
import base64
import binascii
import bisect
import calendar
import cmath
import collections
import colorsys
import contextlib
import copy
import csv
import dataclasses
import datetime
import decimal
import difflib
import email.utils
import encodings.ascii
import encodings.idna
import encodings.latin_1
import encodings.utf_8
import enum
import fractions
import functools
import graphlib
import hashlib
import heapq
import hmac
import html
import html.parser
import io
import ipaddress
import itertools
import json
import logging
import math
import numbers
import operator
import pprint
import random
import re
import secrets
import statistics
import string
import struct
import textwrap
import time
import traceback
import types
import typing
import unicodedata
import urllib.parse
import uuid
import xml.etree.ElementTree
import zlib
import zoneinfo
from concurrent import futures

ZONES = tuple(zoneinfo.ZoneInfo(name) for name in sorted(zoneinfo.available_timezones()))
"""Kept, so that ``ZoneInfo(name)`` finds them."""
_ = (time.localtime(), decimal.Decimal(1) / 3, "é".encode("idna"), uuid.uuid4(), random.random())
